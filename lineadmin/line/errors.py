"""What LINE, or the way to it, can answer other than yes; and what staff are told about it.

One question decides what may happen next: can LINE have accepted the request? Only `LineUnclear`
says maybe. Source: https://developers.line.biz/en/reference/messaging-api/#error-responses
(2026-08-07); wording may change there, so the status decides wherever it can.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lineadmin.i18n import _

MESSAGE_CHARACTERS = 500


@dataclass(frozen=True)
class Detail:
    """One line of LINE's explanation: what is wrong, and where in the request."""

    message: str
    place: str


class LineError(Exception):
    """A request LINE did not accept, or may not have accepted.

    `status` is 0 where no answer came. `certainly_not_sent` is False only where LINE may have
    accepted the request all the same; then it may be repeated with the same retry key only.
    """

    certainly_not_sent = True

    def __init__(
        self,
        status: int = 0,
        request_id: str | None = None,
        message: str = "",
        details: tuple[Detail, ...] = (),
        *,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{status} {message}".strip())
        self.status = status
        self.request_id = request_id
        self.message = message
        self.details = details
        self.retry_after_seconds = retry_after_seconds


class LineUnclear(LineError):
    """Connection lost after connecting, timeout, 5xx: LINE may have accepted the request."""

    certainly_not_sent = False


class LineUnreachable(LineError):
    """Never connected: not one byte of the request was sent."""


class LineRateLimited(LineError):
    """429: too fast, or too much to one friend. The same request may go out later."""


class LineQuotaExhausted(LineError):
    """429: the account's messages of this month are used up."""


class LineRefused(LineError):
    """LINE understood and said no (400, 404, 410, 413, 415): repeating changes nothing."""


class LineAuthFailed(LineError):
    """401 or 403: the access token is wrong, expired, or may not do this."""


def classify(status: int, headers: Mapping[str, str], body: bytes | str | None) -> LineError:
    """The error that an answer other than success means. Never raises, whatever LINE sent."""
    lowered = {str(name).lower(): value for name, value in headers.items()}
    message, details = _explanation(body)
    arguments: tuple[Any, ...] = (status, lowered.get("x-line-request-id"), message, details)
    if status in (401, 403):
        return LineAuthFailed(*arguments)
    if status == 429:
        # Only the words tell the two apart; docs, "Error messages", same page.
        if "monthly limit" in message.lower():
            return LineQuotaExhausted(*arguments)
        return LineRateLimited(*arguments, retry_after_seconds=_seconds(lowered.get("retry-after")))
    # 408 and 409 speak of an earlier arrival of this very request, 3xx of something between LINE
    # and us: sending the same content under a new key could then reach the friend twice.
    if 400 <= status < 500 and status not in (408, 409):
        return LineRefused(*arguments)
    return LineUnclear(*arguments)


def sentence(error: LineError) -> str:
    """What happened and what to do, for staff, in the language of whoever reads it."""
    if isinstance(error, LineAuthFailed):
        if error.status == 403:
            return _(
                "LINE says this account may not do this (403). Check the plan and the rights of "
                "the official account in LINE Official Account Manager."
            )
        return _(
            "LINE does not accept our channel access token (401). Issue a new one in the LINE "
            "Developers Console and put it into the settings of this server."
        )
    if isinstance(error, LineQuotaExhausted):
        return _(
            "This month's messages are used up (429). Raise the plan or the limit in LINE "
            "Official Account Manager; sending goes on by itself once LINE allows it."
        )
    if isinstance(error, LineRateLimited):
        return _("LINE asks us to send more slowly (429). It is tried again by itself.")
    if isinstance(error, LineUnreachable):
        return _(
            "LINE could not be reached, nothing was sent. Check this server's internet "
            "connection; it is tried again by itself."
        )
    if isinstance(error, LineUnclear):
        if error.status:
            return _(
                "LINE has a problem of its own (%(status)s). It is tried again by itself, and "
                "nobody gets the message twice.",
                status=error.status,
            )
        return _(
            "LINE did not answer in time. It is tried again by itself, and nobody gets the "
            "message twice."
        )
    return _refusal(error)


def _refusal(error: LineError) -> str:
    if error.status == 404:
        return _("LINE does not know this (404). The friend may have left or blocked the account.")
    if error.status == 410:
        return _("LINE no longer has this (410).")
    if error.status == 413:
        return _("The message is too large for LINE (413). Make it shorter or split it.")
    if "reply token" in error.message.lower():
        return _("The moment for a free reply has passed. Send it as a push message instead.")
    words = [error.message] if error.message else []
    words += [
        f"{line.place}: {line.message}" if line.place else line.message for line in error.details
    ]
    if not words:
        return _("LINE refused the request (%(status)s).", status=error.status)
    return _(
        "LINE refused the request (%(status)s). Its words: %(words)s",
        status=error.status,
        words=" · ".join(words),
    )


def _explanation(body: bytes | str | None) -> tuple[str, tuple[Detail, ...]]:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text[:MESSAGE_CHARACTERS], ()
    if not isinstance(found, dict):
        return text[:MESSAGE_CHARACTERS], ()
    # The token endpoint answers in OAuth's words instead.
    message = found.get("message") or found.get("error_description") or found.get("error") or ""
    lines = found.get("details")
    details = tuple(
        Detail(_short(line.get("message")), _short(line.get("property")))
        for line in (lines if isinstance(lines, list) else [])
        if isinstance(line, dict)
    )
    return _short(message), details


def _short(value: object) -> str:
    return value[:MESSAGE_CHARACTERS] if isinstance(value, str) else ""


def _seconds(value: str | None) -> float | None:
    # LINE documents no such header; a proxy in between may send one.
    return float(value) if value and value.isascii() and value.isdigit() else None
