"""What this LINE guesses about people, and which demographic filters they pass.

The guesses live here only: no answer of LINE ever holds one, they just decide who gets a
narrowcast. A person's come from her id, so that they stay; a phone may be given others.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from lineadmin.simulator.records import DAY_MS, Phone
from lineadmin.simulator.shapes import Details, known_only, note

GENDERS = ("male", "female")
APP_TYPES = ("ios", "android")
AGES = tuple(f"age_{age}" for age in range(15, 75, 5))
PERIODS = tuple(f"day_{days}" for days in (7, 30, 90, 180, 365))
AREAS = (
    *(f"jp_{number:02}" for number in range(1, 48)),
    *(f"tw_{number:02}" for number in range(1, 23)),
    *(f"th_{number:02}" for number in range(1, 9)),
)
MOST_FILTERS = 10
UNKNOWN_PERCENT = 15

_ONE_OF = {"gender": GENDERS, "appType": APP_TYPES, "area": AREAS}
_RANGES = {"age": AGES, "subscriptionPeriod": PERIODS}


def estimates_of(phone: Phone, shop_ms: int) -> dict[str, Any]:
    """Gender, age, area, os and friend_days as LINE guesses them; None = unknown."""
    digest = hashlib.blake2b(phone.user_id.encode(), digest_size=10, person=b"estimates").digest()

    def drawn(place: int, choices: Any) -> Any:
        if digest[place] * 100 // 256 < UNKNOWN_PERCENT:
            return None
        return choices[digest[place + 1] % len(choices)]

    days = digest[8] * 2
    if phone.followed_ms is not None:
        days = max(0, shop_ms - phone.followed_ms) // DAY_MS
    return {
        "gender": drawn(0, GENDERS),
        "age": drawn(2, range(15, 75)),
        "area": drawn(4, AREAS[47:69]),
        "os": phone.os if phone.os in APP_TYPES else None,
        "friend_days": days,
        **(phone.estimates or {}),
    }


def passes(guess: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """Whether somebody of these guesses passes a demographic filter that was checked."""
    if not wanted:
        return True
    kind = wanted["type"]
    if kind == "operator":
        if wanted.get("and"):
            return all(passes(guess, one) for one in wanted["and"])
        if wanted.get("or"):
            return any(passes(guess, one) for one in wanted["or"])
        return not passes(guess, wanted["not"])
    if kind in _ONE_OF:
        known = {"gender": "gender", "appType": "os", "area": "area"}[kind]
        return guess[known] in wanted["oneOf"]
    value = guess["age" if kind == "age" else "friend_days"]
    if value is None:
        return False
    low, high = (_number(wanted.get(name)) for name in ("gte", "lt"))
    return (low is None or value >= low) and (high is None or value < high)


def check_filter(value: Any, path: str, out: Details) -> None:
    """Problems of a demographic filter: its kinds, its values, and how many there are."""
    if _check(value, path, out) > MOST_FILTERS:
        note(out, path, f"must hold at most {MOST_FILTERS} filters")


def _check(value: Any, path: str, out: Details) -> int:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "operator":
        return check_operator(value, path, out, _check)
    if kind in _ONE_OF:
        known_only(value, path, ("type", "oneOf"), (), out)
        listed = value.get("oneOf")
        if not isinstance(listed, list) or not listed:
            note(out, f"{path}.oneOf", "May not be empty")
        elif [one for one in listed if one not in _ONE_OF[kind]]:
            note(out, f"{path}.oneOf", f"Must be one of the following values: {_ONE_OF[kind]}")
    elif kind in _RANGES:
        known_only(value, path, ("type",), ("gte", "lt"), out)
        low, high = value.get("gte"), value.get("lt")
        if [one for one in (low, high) if one is not None and one not in _RANGES[kind]]:
            note(out, path, f"Must be one of the following values: {_RANGES[kind]}")
        elif low is None and high is None:
            note(out, path, "gte or lt must be specified")
        elif low and high and (_number(low) or 0) >= (_number(high) or 0):
            note(out, path, "gte must be less than lt")
    else:
        kinds = ["operator", *_ONE_OF, *_RANGES]
        note(out, f"{path}.type", f"Must be one of the following values: {kinds}")
    return 1


def check_operator(value: dict[str, Any], path: str, out: Details, check: Any) -> int:
    """Exactly one of and, or, not, and not empty; answers how many leaves are inside."""
    known_only(value, path, ("type",), ("and", "or", "not"), out)
    given = [name for name in ("and", "or", "not") if value.get(name) is not None]
    if len(given) != 1:
        note(out, path, "exactly one of and, or, not must be specified")
        return 0
    inner = value[given[0]]
    if given == ["not"]:
        return int(check(inner, f"{path}.not", out))
    if not isinstance(inner, list) or not inner:
        note(out, f"{path}.{given[0]}", "May not be empty")
        return 0
    places = [f"{path}.{given[0]}[{index}]" for index in range(len(inner))]
    return sum(int(check(one, place, out)) for one, place in zip(inner, places, strict=True))


def _number(word: str | None) -> int | None:
    return None if word is None else int(word.partition("_")[2])
