"""Changes to a definition that is being edited: branches and steps, added, copied, moved, deleted.

Each works on the shop-file form (`definition.dump`) in place and answers where the changed thing is
now; `definition.parse` judges the result, so limits are told in its words only.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, TypeAlias

from lineadmin import segments
from lineadmin.i18n import _, _l
from lineadmin.sequences.definition import MOST_NAME, DefinitionError

Raw: TypeAlias = dict[str, Any]

UNCHOSEN: Raw = {"all": []}  # the condition of a branch before staff choose one
USUAL_DAYS = 7  # what a new step waits for, until staff say otherwise
FIRST_STEP: Raw = {"after_days": 1, "at": "10:00", "messages": []}
GONE = _l("This step or branch is not there any more.")


# -- steps, counted from 1 ---------------------------------------------------------------------


def find_step(raw: Raw, branch: int, step: int) -> list[Raw]:
    """The list that has step number `step` of a branch.

    :raises DefinitionError: there is none
    """
    steps: list[Raw] = find_branch(raw, branch)["steps"]
    if not 1 <= step <= len(steps):
        raise DefinitionError(GONE)
    return steps


def add_step(raw: Raw, branch: int, after: int) -> int:
    """Put an empty step behind number `after` (0: in front), at the hour and rhythm before it."""
    steps: list[Raw] = find_branch(raw, branch)["steps"]
    if not 0 <= after <= len(steps):
        raise DefinitionError(GONE)
    if not steps:
        steps.append(deepcopy(FIRST_STEP))
        return 1
    like = steps[max(after - 1, 0)]
    new: Raw = {key: like[key] for key in ("at", "weekday") if key in like}
    steps.insert(after, {**new, "after_days": _rhythm(steps, after), "messages": []})
    return after + 1


def copy_step(raw: Raw, branch: int, step: int) -> int:
    """The same step once more, behind itself."""
    steps = find_step(raw, branch, step)
    steps.insert(step, {**deepcopy(steps[step - 1]), "after_days": _rhythm(steps, step)})
    return step + 1


def move_step(raw: Raw, branch: int, step: int, *, to: int) -> int:
    """Bring the messages of a step to the place of another; when each place is sent stays."""
    steps = find_step(raw, branch, step)
    to = min(max(to, 1), len(steps))
    messages = [one["messages"] for one in steps]
    messages.insert(to - 1, messages.pop(step - 1))
    for one, moved in zip(steps, messages, strict=True):
        one["messages"] = moved
    return to


def delete_step(raw: Raw, branch: int, step: int) -> int:
    """Take a step out; answers the one to look at now (0: none is left)."""
    steps = find_step(raw, branch, step)
    del steps[step - 1]
    return min(step, len(steps))


def _rhythm(steps: list[Raw], after: int) -> int:
    """Days for a step behind number `after`: as the steps before it are apart, else a week."""
    return int(steps[after - 1]["after_days"]) if after >= 2 else USUAL_DAYS


# -- branches, counted from 0 ------------------------------------------------------------------


def find_branch(raw: Raw, branch: int) -> Raw:
    """
    :raises DefinitionError: there is no such branch
    """
    if not 0 <= branch < len(raw["branches"]):
        raise DefinitionError(GONE)
    found: Raw = raw["branches"][branch]
    return found


def add_branch(raw: Raw) -> int:
    """One more group of friends, with the steps of everyone else to start from.

    The first one splits the sequence: its only branch becomes that of everyone else.
    """
    branches: list[Raw] = raw["branches"]
    rest = branches[-1]
    if len(branches) == 1:
        rest |= {"name": _("Everyone else"), "otherwise": True}
    branches.insert(-1, {"name": "", "where": UNCHOSEN, "steps": deepcopy(rest["steps"])})
    return len(branches) - 2


def copy_branch(raw: Raw, branch: int) -> int:
    """The same branch once more beside itself; its condition is to be chosen."""
    original = find_branch(raw, branch)
    if len(raw["branches"]) == 1:
        return add_branch(raw)
    at = branch if original.get("otherwise") else branch + 1
    copied = {"name": "", "where": UNCHOSEN, "steps": deepcopy(original["steps"])}
    raw["branches"].insert(at, copied)
    return at


def describe_branch(raw: Raw, branch: int, *, name: str, where: Raw | None) -> None:
    """Name a branch and say whom it is for. A name left empty is what the condition says.

    :raises DefinitionError: there is another branch of this name
    """
    found = find_branch(raw, branch)
    name = " ".join(name.split())
    others = {one.get("name") for one in raw["branches"] if one is not found}
    if "where" in found:
        unnamed = name in ("", _told(found["where"]))
        found["where"] = where or UNCHOSEN
        if unnamed:
            name = _told(found["where"])
    elif not name:
        name = _("Everyone else")
    if name and name in others:
        raise DefinitionError(_l("There is already a branch of this name."), ("name",))
    found["name"] = name


def move_branch(raw: Raw, branch: int, *, left: bool) -> int:
    """Change places with the neighbour: the first branch that fits takes a friend."""
    branches: list[Raw] = raw["branches"]
    find_branch(raw, branch)
    other = branch - 1 if left else branch + 1
    if branch < len(branches) - 1 and 0 <= other < len(branches) - 1:
        branches[branch], branches[other] = branches[other], branches[branch]
        return other
    return branch


def delete_branch(raw: Raw, branch: int) -> int:
    """Take a branch out: its friends are everyone else's from then on.

    :raises DefinitionError: it is that of everyone else, which stays
    """
    branches: list[Raw] = raw["branches"]
    if find_branch(raw, branch).get("otherwise") or len(branches) == 1:
        raise DefinitionError(
            _l("The branch for everyone else stays: somebody must take the rest.")
        )
    del branches[branch]
    if len(branches) == 1:
        branches[0] = {"steps": branches[0]["steps"]}
    return max(0, branch - 1)


def _told(where: Raw) -> str:
    """A condition as a name, cut to the length of one."""
    if where == UNCHOSEN:
        return ""
    words = segments.sentence(where)
    return words if len(words) <= MOST_NAME else words[: MOST_NAME - 1] + "…"
