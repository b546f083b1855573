"""Step messages to start from. Each is a shop file too, for `flask shop load`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

KEYS = ("bento_mondays", "line_pay_again", "sticker_week", "monthly_survey")


@dataclass(frozen=True)
class Starter:
    """One of them: its name, what it is for in a line, and its definition in shop-file form."""

    key: str
    name: str
    about: str
    definition: dict[str, Any]
    surveys: tuple[dict[str, Any], ...] = ()  # those its messages lead to, in the same form


@cache
def all_starters() -> tuple[Starter, ...]:
    """Every starter, in the order staff read them."""
    return tuple(_read(key) for key in KEYS)


def starter(key: str) -> Starter | None:
    """The one with this key; None where there is none."""
    return next((one for one in all_starters() if one.key == key), None)


def text_of(key: str) -> str:
    """The shop file of a starter."""
    return files(__name__).joinpath(f"{key}.yaml").read_text(encoding="utf-8")


def _read(key: str) -> Starter:
    text = text_of(key)
    file = YAML(typ="safe", pure=True).load(text)
    [sequence] = file["sequences"]
    _comment, _colon, about = text.splitlines()[0].partition("：")
    definition = {"trigger": sequence["trigger"], "branches": sequence["branches"]}
    surveys = tuple(file.get("surveys") or ())
    return Starter(key, sequence["name"], about, definition, surveys)
