"""Every kind of fact in one table, with the sentence staff read and whether it can trigger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lineadmin.i18n import _l


@dataclass(frozen=True)
class Kind:
    """`triggers`: sequences start or end on it, so it waits in the journal until they looked."""

    code: str
    label: Any
    triggers: bool = False


_ALL = (
    Kind("followed", _l("Added as a friend"), triggers=True),
    Kind("unblocked", _l("Unblocked the account")),
    Kind("blocked", _l("Blocked the account"), triggers=True),
    Kind("message", _l("Wrote a message")),
    Kind("postback", _l("Tapped a button")),
    Kind("unsent", _l("Took a message back")),
    Kind("event", _l("Other activity")),
    Kind("opted_out", _l("Stopped notifications")),
    Kind("opted_in", _l("Allowed notifications again")),
    Kind("source.set", _l("Source set")),
    Kind("source.found", _l("Source known after joining"), triggers=True),
    Kind("source.visited", _l("Used an entry link")),
    Kind("attribute.set", _l("Attribute changed"), triggers=True),
    Kind("tag.added", _l("Tag added"), triggers=True),
    Kind("tag.removed", _l("Tag removed")),
    Kind("coupon.issued", _l("Coupon issued")),
    Kind("coupon.opened", _l("Coupon opened")),
    Kind("coupon.redeemed", _l("Coupon redeemed"), triggers=True),
    Kind("coupon.undone", _l("Redemption undone")),
    Kind("coupon.voided", _l("Coupon taken back")),
    Kind("purchase", _l("Bought something"), triggers=True),
    Kind("purchase.void", _l("Bought something (taken back since)")),
    Kind("purchase.voided", _l("Purchase taken back")),
    Kind("purchase.status", _l("Order moved on")),
    Kind("purchase.asked", _l("Asked to change an order")),
    Kind("purchase.answered", _l("Wish about an order answered")),
    Kind("link.clicked", _l("Opened a link")),
    Kind("lottery.drawn", _l("Drew in a lottery")),
    Kind("topic.subscribed", _l("Subscribed to a topic")),
    Kind("topic.stopped", _l("Subscription to a topic ended")),
    Kind("survey.answered", _l("Answered a survey"), triggers=True),
    Kind("sequence.enrolled", _l("Started step messages")),
    Kind("sequence.ended", _l("Ended step messages")),
    Kind("member.bound", _l("Bound a member card")),
    Kind("member.unbound", _l("Member card unbound")),
    Kind("member.level", _l("Member level changed")),
    Kind("points.given", _l("Got points")),
    Kind("points.spent", _l("Points taken")),
    Kind("points.expired", _l("Points expired")),
    Kind("linked", _l("Staff member's LINE linked")),
)

KINDS: dict[str, Kind] = {kind.code: kind for kind in _ALL}
