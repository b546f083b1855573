"""What friends type, made comparable; and the words that stop and restart notifications."""

from __future__ import annotations

import unicodedata

OPT_OUT_DATA = "opt_out"  # postback data of a "不再通知" button
OPT_IN_DATA = "opt_in"

_OPT_OUT = ("不再通知", "停止", "取消訂閱", "stop", "unsubscribe", "配信停止")
_OPT_IN = ("恢復通知", "重新通知", "resume", "subscribe", "配信再開")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))


def fold(text: str) -> str:
    """`text` as it is compared: full and half width, upper and lower case, and spaces are one.

    "ＭＥＮＵ " and "menu" fold to the same text.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_INVISIBLE)
    return " ".join(unicodedata.normalize("NFKC", folded).split())


OPT_OUT_WORDS = frozenset(map(fold, _OPT_OUT))
OPT_IN_WORDS = frozenset(map(fold, _OPT_IN))


def is_opt_out(text: str) -> bool:
    """True when the whole message asks for no more notifications."""
    return fold(text) in OPT_OUT_WORDS


def is_opt_in(text: str) -> bool:
    """True when the whole message asks to be notified again."""
    return fold(text) in OPT_IN_WORDS
