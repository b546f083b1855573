"""Who may do what: four roles, a dozen verbs, one table."""

from __future__ import annotations

from typing import Any

from lineadmin.errors import NotAllowed
from lineadmin.i18n import _, _l
from lineadmin.staff.models import Staff

OWNER, MANAGER, STAFF, VIEWER = "owner", "manager", "staff", "viewer"

ROLE_LABELS: dict[str, Any] = {
    OWNER: _l("Owner"),
    MANAGER: _l("Manager"),
    STAFF: _l("Staff"),
    VIEWER: _l("Viewer"),
}
ROLES = tuple(ROLE_LABELS)

ROLE_SUMMARIES: dict[str, Any] = {
    OWNER: _l("Everything, including people, the LINE connection, money and restoring backups"),
    MANAGER: _l("Writes and sends messages, tags, imports, edits"),
    STAFF: _l("Redeems coupons, records purchases and looks friends up"),
    VIEWER: _l("Reads only"),
}

VERB_LABELS: dict[str, Any] = {
    "view": _l("read the screens"),
    "redeem": _l("redeem coupons"),
    "record": _l("record purchases"),
    "lookup": _l("look a friend up"),
    "compose": _l("write messages"),
    "send": _l("send messages"),
    "tag": _l("tag friends"),
    "import": _l("import files"),
    "edit": _l("edit the set-up"),
    "people": _l("manage people"),
    "line": _l("change the LINE connection"),
    "money": _l("change settings of money and limits"),
    "restore": _l("release what a restore holds back"),
    "export_all": _l("export all friends"),
}
VERBS = tuple(VERB_LABELS)

_VIEWER = frozenset({"view"})
_STAFF = _VIEWER | {"redeem", "record", "lookup"}
_MANAGER = _STAFF | {"compose", "send", "tag", "import", "edit"}
_OWNER = _MANAGER | {"people", "line", "money", "restore", "export_all"}

MATRIX: dict[str, frozenset[str]] = {
    OWNER: _OWNER,
    MANAGER: _MANAGER,
    STAFF: _STAFF,
    VIEWER: _VIEWER,
}


def may(who: Staff | str | None, verb: str) -> bool:
    """Whether a person (or a role) may do `verb`. Nobody signed in, or switched off, may nothing.

    :raises KeyError: there is no such verb; a misspelt one must not pass as a refusal
    """
    if verb not in VERB_LABELS:
        raise KeyError(verb)
    if isinstance(who, Staff):
        return bool(who.active) and verb in MATRIX.get(who.role, frozenset())
    return who is not None and verb in MATRIX.get(who, frozenset())


def check(who: Staff | str | None, verb: str) -> None:
    """Pass, or refuse in words.

    :raises NotAllowed: the role of `who` does not include `verb`
    """
    if not may(who, verb):
        raise NotAllowed(refusal(who, verb))


def how_many_may(verb: str) -> int:
    """People who are switched on and may do `verb`."""
    roles = [role for role in ROLES if verb in MATRIX[role]]
    return int(Staff.select().where(Staff.active, Staff.role.in_(roles)).count())


def refusal(who: Staff | str | None, verb: str) -> str:
    """Why this was refused and who can help, as a sentence."""
    role = who.role if isinstance(who, Staff) else who
    allowed = [str(ROLE_LABELS[name]) for name in ROLES if verb in MATRIX[name]]
    return _(
        "Your role (%(role)s) does not include: %(verb)s. It is open to: %(roles)s.",
        role=ROLE_LABELS.get(role or "", role or "-"),
        verb=VERB_LABELS[verb],
        roles=_(", ").join(allowed),
    )
