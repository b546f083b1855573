"""What stands on a friend's page: her timeline, and what is known of her and how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lineadmin import i18n
from lineadmin.branches import distance
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.coupons.states import STATE_LABELS, State, state_of
from lineadmin.friends import attributes
from lineadmin.friends.models import Friend, FriendPlace
from lineadmin.friends.regions import ORIGINS
from lineadmin.i18n import _
from lineadmin.inbox.models import InboundMessage
from lineadmin.inbox.queries import words_of
from lineadmin.purchases import queries
from lineadmin.purchases.record import said_of
from lineadmin.purchases.states import STATUS_KINDS, STATUS_LABELS
from lineadmin.reports import moments, timeline
from lineadmin.reports.moments import Told
from lineadmin.reports.timeline import MESSAGE, Cursor, Moment

COUPONS_SHOWN = 5
PURCHASES_SHOWN = 5
LANGUAGES = {
    "zh-TW": "繁體中文（台灣）",
    "zh-Hant": "繁體中文",
    "zh-HK": "繁體中文（香港）",
    "zh-CN": "简体中文",
    "zh-Hans": "简体中文",
    "ja": "日本語",
    "en": "English",
    "ko": "한국어",
    "th": "ไทย",
    "id": "Bahasa Indonesia",
    "vi": "Tiếng Việt",
}
_COUPON_KINDS = {State.VALID: "ok", State.NOT_YET: "info", State.PAUSED: "warn"}


@dataclass(frozen=True)
class Day:
    """The moments of one local day, newest first."""

    heading: str
    told: list[Told]


def days(friend: Friend, before: Cursor | None, now: datetime) -> tuple[list[Day], Cursor | None]:
    """A page of her timeline by days, and where the older ones begin."""
    page = timeline.page(friend.id, before=before, more=(_messages,))
    grouped: list[Day] = []
    for told in moments.tell(page.moments, name=friend.display_name, others={MESSAGE: _message}):
        heading = day_heading(told.at, now)
        if not grouped or grouped[-1].heading != heading:
            grouped.append(Day(heading, []))
        grouped[-1].told.append(told)
    return grouped, page.older


def day_heading(at: datetime, now: datetime) -> str:
    """Today, yesterday, tomorrow, or the date."""
    day, today = i18n.local(at).date(), i18n.local(now).date()
    near = {0: _("Today"), -1: _("Yesterday"), 1: _("Tomorrow")}
    return near.get((day - today) // timedelta(days=1)) or i18n.format_date(day)


def _messages(friend_id: int, before: Cursor | None, limit: int) -> list[Moment]:
    query = InboundMessage.select().where(InboundMessage.friend_id == friend_id)
    rows = timeline.newest(query, InboundMessage.at, InboundMessage.id, MESSAGE, before, limit)
    return [Moment(row.at, MESSAGE, row) for row in rows]


def _message(moment: Moment) -> Told:
    row = moment.row
    waits = row.answered_by == "" and row.unsent_at is None
    return Told(
        moment.at,
        _("Wrote"),
        said=words_of(row),
        more=_("nobody has answered yet") if waits else "",
        kind="warn" if waits else "quiet" if row.unsent_at is not None else "own",
    )


def facts(friend: Friend, now: datetime) -> list[tuple[str, str, str]]:
    """(what, value, where it comes from) of everything known about her, also what is not known."""
    known = attributes.known_about(friend, now=now)
    lines = [(one.label, one.value, _origin(one.origin) if one.value else "") for one in known]
    source = friend.source.name if friend.source is not None else ""
    return [
        *lines,
        *_place(friend),
        (
            _("Gained-through path"),
            source,
            _origin(friend.source_origin) if source else "",
        ),
        (
            _("Language"),
            LANGUAGES.get(friend.language, friend.language),
            _("from the LINE profile") if friend.language else "",
        ),
        (_("Friend since"), i18n.format_datetime(friend.followed_at), ""),
        (_("Last active"), i18n.format_datetime(friend.last_seen_at), ""),
        (_("First heard of"), i18n.format_datetime(friend.first_seen_at), ""),
    ]


def _place(friend: Friend) -> list[tuple[str, str, str]]:
    """The branch nearest to the place she sent last."""
    place = FriendPlace.get_or_none(FriendPlace.friend == friend.id)
    if place is None or place.nearest is None or place.metres is None:
        return []
    sent = _("from the location she sent on %(day)s", day=i18n.format_date(place.sent_at))
    near = _(
        "%(name)s, about %(distance)s",
        name=place.nearest.name,
        distance=distance.told(place.metres),
    )
    return [(_("Nearest branch"), near, sent)]


def _origin(code: str) -> str:
    return str(ORIGINS.get(code, code))


def coupons(friend_id: int, now: datetime) -> list[dict[str, Any]]:
    """The latest copies she was given."""
    rows = (
        CouponIssue.select(CouponIssue, Coupon)
        .join(Coupon)
        .where(CouponIssue.friend_id == friend_id)
        .order_by(CouponIssue.id.desc())
        .limit(COUPONS_SHOWN)
    )
    shown = []
    for row in rows:
        state = state_of(row, row.coupon, now)
        shown.append(
            {
                "title": row.coupon.title,
                "code": row.code,
                "state": STATE_LABELS[state],
                "kind": _COUPON_KINDS.get(state, "quiet"),
                "usable": state is State.VALID,
            }
        )
    return shown


def purchases(friend_id: int) -> dict[str, Any]:
    """What she has bought: the sums of what counts, and the latest purchases with their status."""
    rows = queries.latest(friend_id, PURCHASES_SHOWN)
    lines = queries.lines_of([row.id for row in rows])
    return {
        "totals": queries.totals(friend_id),
        "latest": [
            {
                "row": row,
                "what": said_of(lines.get(row.id, [])),
                "state": _("taken back") if row.voided_at else STATUS_LABELS.get(row.status, ""),
                "kind": "bad" if row.voided_at else STATUS_KINDS.get(row.status, ""),
            }
            for row in rows
        ],
    }
