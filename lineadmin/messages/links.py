"""Addresses as staff type them, made into what LINE takes: percent-encoded, of a known scheme.

Source: https://developers.line.biz/en/reference/messaging-api/#uri-action (2026-08-07)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit, urlunsplit

from lineadmin.line import limits
from lineadmin.line.text import utf16_length

# What may stand in an address unescaped, the % of an escape included.
_PLAIN = "%/:?#[]@!$&'()*+,;=-._~"
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

# An address within a text ends where people end it: at a space, at a full-width sign, at a brace
# of ours, and before the full stop of the sentence.
_ENDS = r"\s<>\"'{}｜|、，。！？；：「」『』（）【】《》〈〉…"
_IN_TEXT = re.compile(rf"https?://[^{_ENDS}]+", re.IGNORECASE)
_TRAILING = ".,;:!?)]"


def tidy_link(typed: str) -> str | None:
    """The address a tap can open, or None where `typed` is none: no scheme, no host, too long."""
    written = typed.strip()
    if any(one.isspace() or not one.isprintable() for one in written):
        return None
    try:
        parts = urlsplit(written)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in limits.ACTION_URI_SCHEMES:
        return None
    if scheme in ("http", "https"):
        if not host or parts.username is not None or parts.password is not None:
            return None
        ascii_host = _ascii_host(host)
        if ascii_host is None:
            return None
        place = ascii_host if port is None else f"{ascii_host}:{port}"
        written = urlunsplit((scheme, place, parts.path, parts.query, parts.fragment))
    elif not written[len(scheme) + 1 :].strip("/"):
        return None
    link = quote(_LONE_PERCENT.sub("%25", written), safe=_PLAIN)
    return link if utf16_length(link) <= limits.ACTION_URI_UNITS else None


def web_addresses(text: str) -> list[str]:
    """The web addresses in a text, as written, in order. One that goes on with a name is none."""
    found: list[str] = []

    def note(address: str) -> str:
        found.append(address)
        return address

    replace_addresses(text, note)
    return found


def replace_addresses(text: str, replacement: Callable[[str], str]) -> str:
    """`text` with every web address in it replaced."""

    def replace(match: re.Match[str]) -> str:
        written = match.group()
        address = written.rstrip(_TRAILING)
        if written.count("(") and address.count("(") > address.count(")"):
            address = written[: len(address) + 1]
        if address == written and text[match.end() : match.end() + 1] == "{":
            return written
        return replacement(address) + written[len(address) :]

    return _IN_TEXT.sub(replace, text)


def _ascii_host(host: str) -> str | None:
    if ":" in host:
        return f"[{host}]" if re.fullmatch(r"[0-9a-f:.]+", host) else None
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return name if re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", name) else None
