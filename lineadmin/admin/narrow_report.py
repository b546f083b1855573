"""The report of a broadcast whose recipients LINE chooses: its phases, counts and failures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lineadmin import clock
from lineadmin.audiences.models import LineAudience
from lineadmin.broadcasts import narrow, states
from lineadmin.broadcasts.models import Broadcast, Narrowcast
from lineadmin.i18n import _, _l, format_count, format_datetime
from lineadmin.line.audience_calls import CLICK, IMPRESSION
from lineadmin.line.narrowcast_calls import SENDING
from lineadmin.outbox import narrow as outbox
from lineadmin.outbox import reasons
from lineadmin.outbox.models import OriginKind, Shipment
from lineadmin.reports import effects

ENGAGED_FOR = timedelta(days=60)
ENGAGED: dict[str, Any] = {IMPRESSION: _l("Who saw it"), CLICK: _l("Who tapped a link")}
# Source: REF#get-narrowcast-progress-status, errorCode
FAILURES: dict[int, Any] = {
    1: _l("LINE had a problem of its own. Nobody got it; send a copy of it again."),
    2: _l("Too few people fit: LINE sends to no fewer than 50. Ask for less, and send a copy."),
    3: _l("LINE had this very request before, so nobody got it twice."),
    4: _l("One of its LINE audiences has fewer than 50 people. Leave it out, and send a copy."),
    5: _l("The month's messages did not suffice for everybody, so LINE sent to nobody."),
}


def narrow_results(row: Broadcast, line: Any) -> dict[str, Any] | None:
    """Everything the page tells of it; None before it was confirmed and for other broadcasts.

    :param line: LINE's own numbers, as broadcast_results draws them
    """
    if row.estimated is None:
        return None
    told = Narrowcast.get_or_none(Narrowcast.broadcast_id == row.id)
    if told is None or row.state in (states.DRAFT, states.APPROVAL, states.SCHEDULED):
        return None
    shipment = outbox.latest(OriginKind.BROADCAST, row.id)
    over = row.state in (states.SENT, states.FAILED)
    return {
        "problem": problem(row, told, shipment),
        "succeeded": _number(row.sent_count if over else told.succeeded),
        "got_hint": _("people, as LINE counted") if over else _("people so far"),
        "target": _number(told.target),
        "failed": _number(told.failed),
        **_charged(row, shipment, over),
        "steps": _steps(row, told, shipment),
        "links": effects.links(row.id),
        "line": line if row.state == states.SENT else None,
        "engaged": _engaged(row, told),
    }


def problem(row: Broadcast, told: Narrowcast, shipment: Shipment | None) -> str:
    """Why it stands still or came to nothing, in words; empty where all is well."""
    if row.state == states.FAILED:
        known = FAILURES.get(told.error_code or 0)
        return str(known) if known else _("LINE could not send it: %(words)s", words=told.error)
    if row.state == states.SENT and row.sent_count is None:
        return _("LINE no longer tells how many got it.")
    if row.state != states.PAUSED:
        return ""
    if row.pause_reason == narrow.EXCLUSION:
        return _(
            "LINE did not take in who wants no notifications (%(words)s), so it was not sent to "
            "anybody. Let it go on to try once more.",
            words=told.error or _("no reason given"),
        )
    if row.pause_reason == narrow.AUDIENCE:
        return told.error
    if row.pause_reason == reasons.REFUSED and shipment is not None:
        return _("LINE refused it: %(words)s", words=shipment.error or shipment.status)
    if row.pause_reason != "staff":
        return reasons.label(row.pause_reason)
    return ""


def engaged_request(row: Broadcast) -> str:
    """What LINE knows it by, for an audience of who saw or tapped it; empty: LINE makes none."""
    told = Narrowcast.get_or_none(Narrowcast.broadcast_id == row.id)
    if row.state != states.SENT or told is None or not told.request_id:
        return ""
    fresh = told.accepted_at is not None and clock.wall() - told.accepted_at < ENGAGED_FOR
    return str(told.request_id) if fresh else ""


def _charged(row: Broadcast, shipment: Shipment | None, over: bool) -> dict[str, str]:
    if over:
        hint = _("one for each who got it")
        return {"charged": _number(row.sent_count), "charged_hint": hint}
    most = shipment.recipients if shipment is not None and outbox.is_live(shipment) else None
    most = most if most is not None else row.expected
    return {
        "charged": "–" if most is None else _("at most %(count)s", count=format_count(most)),
        "charged_hint": _("the rest is given back once LINE has counted"),
    }


def _steps(row: Broadcast, told: Narrowcast, shipment: Shipment | None) -> list[Any]:
    """(done | now | later, label, hint) of every step of its way."""
    ended = row.state in states.ENDED
    accepted = bool(told.request_id)
    if row.state == states.FAILED:
        last = _("LINE sent it to nobody")
    elif row.state == states.CANCELED:
        last = _("Stopped; nobody got it")
    else:
        last = _("Sent")
    at = {
        "keep": row.plan_whole_at is not None or ended,
        "hand": accepted or (ended and row.state != states.CANCELED),
        "choose": ended or (told.phase == SENDING),
        "send": ended,
    }
    labels = {
        "keep": (_("Friends who must not get it are kept out"), ""),
        "hand": (_("Handed to LINE"), ""),
        "choose": (_("LINE chooses the recipients"), _("LINE's word: waiting")),
        "send": (_("LINE sends it"), _("LINE's word: sending")),
    }
    found: list[Any] = []
    reached, moving = False, row.state in (states.PLANNING, states.SENDING, states.STOPPING)
    for key, (label, hint) in labels.items():
        if row.state == states.CANCELED and not at[key]:
            continue
        place = "done" if at[key] else "now" if moving and not reached else "later"
        reached = reached or not at[key]
        found.append((place, label, hint if place == "now" else ""))
    end_hint = format_datetime(row.finished_at) if row.finished_at else ""
    found.append(("done" if ended else "later", last, end_hint))
    return found


def _engaged(row: Broadcast, told: Narrowcast) -> list[tuple[str, str, str]]:
    """(kind, label, name of the audience there is) for each kind LINE can make."""
    request_id = engaged_request(row)
    if not request_id:
        return []
    made = {
        one.kind: one.name
        for one in LineAudience.select().where(LineAudience.request_id == request_id)
    }
    return [(kind, str(label), made.get(kind, "")) for kind, label in ENGAGED.items()]


def _number(number: int | None) -> str:
    return "–" if number is None else format_count(number)
