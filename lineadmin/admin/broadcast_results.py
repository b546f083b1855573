"""What a broadcast brought, in words, tables and a picture, for _broadcast_results.html."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lineadmin import i18n, settings
from lineadmin.admin import charts
from lineadmin.broadcasts import insight, states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.i18n import _, _n, format_count, format_datetime, format_twd
from lineadmin.outbox import reasons
from lineadmin.reports import changes, comparison, effects
from lineadmin.reports.broadcast import Outcome
from lineadmin.reports.lift import difference
from lineadmin.settings.cost import average_price
from lineadmin.settings.plans import monthly_fee


def results(row: Broadcast, found: Outcome, *, now: datetime) -> dict[str, Any] | None:
    """Everything the page tells of the effect; None while nobody has got it."""
    if not found.sent or row.leaves_at is None:
        return None
    links = effects.links(row.id)
    clicked = effects.clickers(row.id, links)
    blocks = effects.blocks(row)
    return {
        "clicked": clicked,
        "click_rate": percent(clicked, found.sent),
        "redeemed": effects.redeemed(row),
        "bought": effects.bought(row),
        "blocks": blocks,
        "block_rate": percent(blocks.within_24, found.sent),
        "usual": None if blocks.usual is None else f"{blocks.usual * 100:.1f}%",
        **_money(row, found.sent, clicked),
        "links": links,
        "chart": _chart(row, now),
        "versions": _versions(row) if row.variants else [],
        "comparison": compared(row, now=now),
        "changes": changed(changes.numbers(row, found)),
        "line": line_numbers(row),
    }


def percent(part: int, of: int) -> str:
    """A rate as staff read it."""
    return f"{100 * part / of:.1f}%" if of else "–"


def _money(row: Broadcast, sent: int, clicked: int) -> dict[str, str]:
    """What it cost: its share of the monthly fee, and what it cost beyond the plan."""
    told = row.told or {}
    shop = settings.shop()
    extra, each = told.get("twd"), average_price(monthly_fee(shop), shop.plan_included)
    if not extra and each is None:
        missing = (
            _("The plan is not set.") if extra is None else _("The plan's monthly fee is not set.")
        )
        return {"cost": "", "cost_hint": missing, "per_click": ""}
    over = min(told.get("over", 0), sent)
    total = (extra or 0) + (sent - over) * (each or 0)
    hint = (
        _("of it %(money)s beyond the plan", money=format_twd(extra))
        if extra
        else _("its share of the monthly fee")
    )
    per_click = f"NT${total / clicked:.2f}" if clicked else ""
    return {"cost": format_twd(total), "cost_hint": hint, "per_click": per_click}


def _chart(row: Broadcast, now: datetime) -> charts.Chart | None:
    taps = effects.taps_by_hour(row.id, row.leaves_at)
    passed = int((now - row.leaves_at) / timedelta(hours=1)) + 1
    shown = taps[: max(6, min(len(taps), passed))]
    if not any(shown):
        return None
    labels = [
        f"{i18n.local(row.leaves_at + timedelta(hours=number)):%H:%M}"
        for number in range(len(shown))
    ]
    return charts.bars(_("Taps by hour"), _("Hour"), labels, [(_("Taps"), shown)])


def _versions(row: Broadcast) -> list[dict[str, Any]]:
    """Each version with its rates; the best is named only where chance does not explain it."""
    found = effects.versions(row)
    return [
        {
            "numbers": one,
            "clicked": percent(one.clicked, one.sent),
            "redeemed": percent(one.redeemed, one.sent),
            "blocked": percent(one.blocked, one.sent),
            "verdict": _verdict(one, [other for other in found if other is not one]),
        }
        for one in found
    ]


def _verdict(one: effects.VersionNumbers, others: list[effects.VersionNumbers]) -> str:
    told = [difference(one.clicked, one.sent, other.clicked, other.sent) for other in others]
    if told and all(gap is not None and gap.clear and gap.by > 0 for gap in told):
        return _("More taps than every other version, beyond chance")
    if any(gap is not None and gap.clear and gap.by < 0 for gap in told):
        return _("Fewer taps than another version, beyond chance")
    return _("Too small a difference to tell")


def compared(row: Broadcast, *, now: datetime) -> dict[str, Any] | None:
    """The holdout group against those who got it, as sentences."""
    found = comparison.comparison(row, now=now)
    if found is None:
        return None
    lines = [
        (_("Redeemed a coupon"), found.redeemed),
        (_("Opened a link"), found.clicked),
        (_("Bought something"), found.bought),
    ]
    return {
        "sent": found.sent,
        "held": found.held,
        "over": found.over,
        "lines": [
            {
                "label": label,
                "sent": f"{percent(one.sent_did, found.sent)}（{format_count(one.sent_did)}）",
                "held": f"{percent(one.held_did, found.held)}（{format_count(one.held_did)}）",
                "verdict": lift_words(one),
            }
            for label, one in lines
        ],
    }


def lift_words(one: comparison.Compared) -> str:
    """What the difference of two groups says, with its bounds."""
    if one.lift is None:
        return _("Nobody is in one of the groups.")
    bounds = {"low": f"{one.lift.low * 100:+.1f}", "high": f"{one.lift.high * 100:+.1f}"}
    if not one.lift.clear:
        return _("Too small to tell (%(low)s to %(high)s points).", **bounds)
    by = f"{abs(one.lift.by) * 100:.1f}"
    if one.lift.by > 0:
        return _("%(by)s points more (%(low)s to %(high)s).", by=by, **bounds)
    return _("%(by)s points fewer (%(low)s to %(high)s).", by=by, **bounds)


def changed(found: changes.Changes | None) -> dict[str, Any] | None:
    """Before and after side by side, and who is elsewhere now where that is known."""
    if found is None:
        return None
    words = {"matches": _("Match the condition"), "will_send": _("Will get it")}
    return {
        "told_at": found.told_at,
        "any": found.any,
        "lines": [
            (words.get(line.label) or reasons.label(line.label), line.before, line.after)
            for line in found.lines
            if line.label in words or line.before or line.after
        ],
        "people": [
            (one.friend_id, one.name, place(one.was), place(one.now_is))
            for one in found.people or []
        ],
        "named": found.people is not None,
        "more": found.more,
    }


def place(reason: str | None) -> str:
    """Where a friend stood: not in the audience, meant to get it, or left out with a reason."""
    if reason is None:
        return _("not in the audience")
    return reasons.label(reason) if reason else _("gets it")


def line_numbers(row: Broadcast) -> dict[str, Any] | None:
    """LINE's own numbers with their days; what LINE keeps to itself is said to be too few."""
    if row.state not in (*states.STARTED, *states.ENDED):
        return None
    read = insight.of(row.id)
    if read is None or read.answer is None:
        return {"read": None}
    overview = read.answer.get("overview") or {}
    return {
        "read": read,
        "days": f"{read.first_day}–{read.last_day}".replace("-", "/"),
        "lines": [
            (_("People who opened it"), _told(overview.get("uniqueImpression"))),
            (_("People who tapped a link"), _told(overview.get("uniqueClick"))),
            (_("People who played a film"), _told(overview.get("uniqueMediaPlayed"))),
        ],
    }


def _told(number: Any) -> str:
    if isinstance(number, bool) or not isinstance(number, int):
        return _("too few people")
    return format_count(number)


def blocker_words(one: effects.Blocker) -> str:
    """When somebody blocked, and how long after."""
    after = _n("%(count)s hour later", "%(count)s hours later", one.hours)
    return f"{format_datetime(one.at)}・{after}"
