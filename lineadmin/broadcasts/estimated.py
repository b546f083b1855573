"""Whom LINE is to choose: its estimates and audiences, as a plain value that is stored.

    {"gender": "female", "age": {"from": 25, "until": 35}, "regions": ["tw_01"], "os": ["ios"],
     "friend_days": {"from": 7}, "audiences": ["…"], "without": ["…"], "most": 500,
     "up_to_remaining": true}

LINE infers these from the accounts somebody follows and the stickers she owns. Nothing here is ever
asked about, or kept for, a single friend. Ranges are half-open: from 25 until 35 is 25 to 34.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineadmin.errors import DomainError
from lineadmin.friends.regions import GENDERS, REGIONS, SYSTEMS
from lineadmin.i18n import _, _l, format_count

AGES = tuple(range(15, 75, 5))
FRIEND_DAYS = (7, 30, 90, 180, 365)
APP_TYPES = ("ios", "android")
MOST_AUDIENCES = 9  # LINE takes ten; one is kept for those who want no messages
LEAST_RECIPIENTS = 50  # LINE sends to no fewer
LEAST_REACH = 100  # friends the account needs for any attribute
ATTRIBUTES = ("gender", "age", "regions", "os", "friend_days")


class EstimatedError(DomainError):
    """Something LINE could not be asked for. `path` leads to it: ("age", "from")."""

    def __init__(self, message: object, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message, field="estimated")
        self.path = path


def parse(raw: Any) -> dict[str, Any]:
    """The value in its one form: only what is set, choices in LINE's order.

    :raises EstimatedError: a key or value LINE does not know
    """
    if not isinstance(raw, dict):
        raise EstimatedError(_l("This must be keys with values."))
    known = (*ATTRIBUTES, "audiences", "without", "most", "up_to_remaining")
    for key in raw:
        if key not in known:
            raise EstimatedError(
                _(
                    "This is not known here: %(key)s. Known are: %(known)s.",
                    key=key,
                    known=", ".join(known),
                ),
                (str(key),),
            )
    found: dict[str, Any] = {}
    if raw.get("gender") is not None:
        found["gender"] = _one_of(raw["gender"], tuple(GENDERS), "gender")
    for key, steps in (("age", AGES), ("friend_days", FRIEND_DAYS)):
        if raw.get(key):
            found[key] = _range(raw[key], steps, key)
    for key, choices in (("regions", tuple(REGIONS)), ("os", APP_TYPES)):
        if raw.get(key):
            given = {_one_of(one, choices, key) for one in _list(raw[key], key)}
            found[key] = [one for one in choices if one in given]
    for key in ("audiences", "without"):
        if raw.get(key):
            names = [_text(name, key) for name in _list(raw[key], key)]
            found[key] = list(dict.fromkeys(names))
    if len(found.get("audiences", ())) + len(found.get("without", ())) > MOST_AUDIENCES:
        raise EstimatedError(
            _l("At most %(most)s LINE audiences at once.", most=MOST_AUDIENCES), ("audiences",)
        )
    if raw.get("most") is not None:
        most = raw["most"]
        if isinstance(most, bool) or not isinstance(most, int) or most < LEAST_RECIPIENTS:
            raise EstimatedError(
                _l(
                    "This must be a whole number from %(low)s on: LINE sends to no fewer.",
                    low=LEAST_RECIPIENTS,
                ),
                ("most",),
            )
        found["most"] = min(most, 2**31 - 1)
    if raw.get("up_to_remaining"):
        if raw["up_to_remaining"] is not True:
            raise EstimatedError(_l("This must be true or false."), ("up_to_remaining",))
        found["up_to_remaining"] = True
    return found


def has_attributes(estimated: dict[str, Any]) -> bool:
    """Whether LINE's estimates decide at all, or its audiences alone."""
    return any(key in estimated for key in ATTRIBUTES)


def is_open(estimated: dict[str, Any]) -> bool:
    """Nothing narrows it down: it would go to all friends."""
    return not has_attributes(estimated) and not estimated.get("audiences")


def sentence(estimated: dict[str, Any]) -> str:
    """Whom LINE is to choose, in the reader's language."""
    told = [str(GENDERS[estimated["gender"]])] if "gender" in estimated else []
    if "age" in estimated:
        told.append(_ages(estimated["age"]))
    if "regions" in estimated:
        told.append(_("lives in %(places)s", places=_either(REGIONS, estimated["regions"])))
    if "os" in estimated:
        told.append(_("uses %(systems)s", systems=_either(SYSTEMS, estimated["os"])))
    if "friend_days" in estimated:
        told.append(_friendship(estimated["friend_days"]))
    if "audiences" in estimated:
        told.append(_("in the LINE audience %(names)s", names=_named(estimated["audiences"])))
    if "without" in estimated:
        told.append(_("not in the LINE audience %(names)s", names=_named(estimated["without"])))
    if "most" in estimated:
        told.append(_("at most %(count)s people", count=format_count(estimated["most"])))
    return _("By LINE's estimate: %(what)s", what=_("; ").join(told) or _("not chosen yet"))


def demographic(estimated: dict[str, Any]) -> dict[str, Any] | None:
    """LINE's filter; None where no attribute is chosen."""
    parts: list[dict[str, Any]] = []
    if "gender" in estimated:
        parts.append({"type": "gender", "oneOf": [estimated["gender"]]})
    if "age" in estimated:
        parts.append({"type": "age", **_bounds(estimated["age"], "age")})
    if "os" in estimated:
        parts.append({"type": "appType", "oneOf": estimated["os"]})
    if "regions" in estimated:
        parts.append({"type": "area", "oneOf": estimated["regions"]})
    if "friend_days" in estimated:
        bounds = _bounds(estimated["friend_days"], "day")
        parts.append({"type": "subscriptionPeriod", **bounds})
    if len(parts) > 1:
        return {"type": "operator", "and": parts}
    return parts[0] if parts else None


def recipient(included: Sequence[int], excluded: Sequence[int]) -> dict[str, Any] | None:
    """LINE's recipients: in any of these audiences, and in none of those; None = all friends."""
    parts = [_any_of(included)] if included else []
    if excluded:
        parts.append({"type": "operator", "not": _any_of(excluded)})
    if len(parts) > 1:
        return {"type": "operator", "and": parts}
    return parts[0] if parts else None


def request(
    messages: Any,
    estimated: dict[str, Any],
    *,
    included: Sequence[int],
    excluded: Sequence[int],
    most: int,
) -> dict[str, Any]:
    """The whole body. `most` is always said: LINE then neither holds nor charges for more."""
    limit: dict[str, Any] = {"max": most}
    if estimated.get("up_to_remaining"):
        limit["upToRemainingQuota"] = True
    body: dict[str, Any] = {"messages": messages, "limit": limit}
    wanted, to = demographic(estimated), recipient(included, excluded)
    if wanted is not None:
        body["filter"] = {"demographic": wanted}
    if to is not None:
        body["recipient"] = to
    return body


def _any_of(ids: Sequence[int]) -> dict[str, Any]:
    audiences = [{"type": "audience", "audienceGroupId": one} for one in ids]
    return audiences[0] if len(audiences) == 1 else {"type": "operator", "or": audiences}


def _bounds(given: dict[str, int], word: str) -> dict[str, str]:
    names = {"from": "gte", "until": "lt"}
    return {names[key]: f"{word}_{value}" for key, value in given.items()}


def _ages(given: dict[str, int]) -> str:
    low, high = given.get("from"), given.get("until")
    if high is None:
        return _("%(low)s or older", low=low)
    if low is None:
        return _("younger than %(high)s", high=high)
    return _("%(low)s to %(high)s years old", low=low, high=high - 1)


def _friendship(given: dict[str, int]) -> str:
    low, high = given.get("from"), given.get("until")
    if high is None:
        return _("a friend for %(low)s days or longer", low=low)
    if low is None:
        return _("a friend for less than %(high)s days", high=high)
    return _("a friend for %(low)s to %(high)s days", low=low, high=high - 1)


def _either(words: Any, codes: list[str]) -> str:
    return str(_(" or ").join(str(words[code]) for code in codes))


def _named(names: list[str]) -> str:
    return str(_(" or ").join(_("“%(name)s”", name=name) for name in names))


def _range(raw: Any, steps: tuple[int, ...], key: str) -> dict[str, int]:
    if not isinstance(raw, dict) or set(raw) - {"from", "until"}:
        raise EstimatedError(_l("This needs “from”, “until” or both."), (key,))
    found = {}
    for end in ("from", "until"):
        value = raw.get(end)
        if value is None:
            continue
        if isinstance(value, bool) or value not in steps:
            raise EstimatedError(
                _("LINE knows these only: %(steps)s.", steps=", ".join(map(str, steps))),
                (key, end),
            )
        found[end] = int(value)
    if not found:
        raise EstimatedError(_l("This needs “from”, “until” or both."), (key,))
    if len(found) == 2 and found["from"] >= found["until"]:
        raise EstimatedError(_l("The end must be above the beginning."), (key, "until"))
    return found


def _one_of(value: Any, choices: tuple[str, ...], key: str) -> str:
    if value not in choices:
        raise EstimatedError(
            _("LINE knows these only: %(steps)s.", steps=", ".join(choices)), (key,)
        )
    return str(value)


def _list(value: Any, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise EstimatedError(_l("This must be a list."), (key,))
    return value


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise EstimatedError(_l("This must be a list of names."), (key,))
    return value.strip()
