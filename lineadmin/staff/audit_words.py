"""The audit log in words: names of actions, things and fields, and values as staff read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from lineadmin.i18n import _, _l, format_count, format_date, format_datetime
from lineadmin.staff.browsers import browser_name
from lineadmin.staff.models import Audit
from lineadmin.staff.permissions import ROLE_LABELS

# "noun.verb" is written as noun and verb; add the missing word here when a room records a new one.
NOUNS: dict[str, Any] = {
    "staff": _l("Person"),
    "session": _l("Session"),
    "profile": _l("Own profile"),
    "setting": _l("Setting"),
    "settings": _l("Setting"),
    "shop": _l("Shop"),
    "friend": _l("Friend"),
    "tag": _l("Tag"),
    "field": _l("Field"),
    "source": _l("Gained-through path"),
    "branch": _l("Shop branch"),
    "segment": _l("Segment"),
    "reply": _l("Auto-response"),
    "greeting": _l("Greeting"),
    "broadcast": _l("Broadcast"),
    "sequence": _l("Step messages"),
    "coupon": _l("Coupon"),
    "reminder": _l("Reminder"),
    "lottery": _l("Lottery"),
    "topic": _l("Topic"),
    "survey": _l("Survey"),
    "member": _l("Member"),
    "points": _l("Points"),
    "line_coupon": _l("LINE coupon"),
    "audience": _l("LINE audience"),
    "issue": _l("Issued coupon"),
    "purchase": _l("Purchase record"),
    "category": _l("Category of goods"),
    "delivery": _l("Delivery"),
    "link": _l("Tracked link"),
    "shipment": _l("Shipment"),
    "sending": _l("Sending"),
    "message": _l("Message"),
    "upload": _l("Picture"),
    "film": _l("Video"),
    "template": _l("Message template"),
    "inbox": _l("Webhook event"),
    "line": _l("LINE connection"),
    "backup": _l("Backup"),
    "simulator": _l("Simulator"),
    "clock": _l("Shop time"),
    "plans": _l("Table of plans"),
}
VERBS: dict[str, Any] = {
    "create": _l("added"),
    "edit": _l("edited"),
    "change": _l("changed"),
    "delete": _l("deleted"),
    "archive": _l("archived"),
    "unarchive": _l("taken out of the archive"),
    "export": _l("exported"),
    "import": _l("imported"),
    "load": _l("loaded from a file"),
    "sign_in": _l("signed in"),
    "sign_out": _l("signed out"),
    "end": _l("ended"),
    "end_all": _l("all ended"),
    "role": _l("role changed"),
    "deactivate": _l("deactivated"),
    "reactivate": _l("reactivated"),
    "password_reset": _l("password reset"),
    "password": _l("password changed"),
    "add": _l("added"),
    "remove": _l("removed"),
    "enable": _l("enabled"),
    "disable": _l("disabled"),
    "publish": _l("published"),
    "schedule": _l("scheduled"),
    "confirm": _l("confirmed"),
    "cancel": _l("cancelled"),
    "send": _l("sent"),
    "test": _l("test sent"),
    "start": _l("started for friends"),
    "stop": _l("stopped"),
    "pause": _l("paused"),
    "resume": _l("resumed"),
    "release": _l("released"),
    "retry": _l("tried again"),
    "drop": _l("given up"),
    "replay": _l("replayed"),
    "redeem": _l("redeemed"),
    "undo": _l("undone"),
    "issue": _l("issued"),
    "void": _l("voided"),
    "answer": _l("answered"),
    "status": _l("status changed"),
    "close": _l("closed"),
    "open": _l("opened"),
    "fill": _l("handed over to LINE again"),
    "tag": _l("tag added"),
    "untag": _l("tag taken off"),
    "late": _l("was late and waits for a decision"),
    "opt_out": _l("stopped being notified"),
    "opt_in": _l("notified again"),
    "link": _l("own LINE linked"),
    "unlink": _l("own LINE unlinked"),
    "webhook": _l("webhook address set"),
    "check": _l("checked"),
    "move": _l("moved on"),
    "move_stop": _l("moving on stopped"),
    "restore": _l("restored"),
    "merge": _l("merged into another"),
    "rule": _l("rule changed"),
    "count_as_sent": _l("counted as sent"),
    "send_again": _l("sent again"),
    "claim_link": _l("public claim link"),
    "draft": _l("kept as a draft"),
    "codes": _l("codes added"),
    "drop_codes": _l("unused codes thrown away"),
    "ask_approval": _l("approval asked for"),
    "approve": _l("approved"),
    "send_back": _l("sent back"),
    "void_approval": _l("approval void: it was changed"),
    "bind": _l("bound to a friend"),
    "unbind": _l("unbound"),
    "settle": _l("double claims looked into"),
    "override_quiet": _l("allowed within the quiet hours"),
    "override_frequency": _l("allowed oftener than agreed"),
    "subscribe": _l("subscribed to a topic"),
    "unsubscribe": _l("subscription to a topic stopped"),
}
FIELDS: dict[str, Any] = {
    "name": _l("Name"),
    "email": _l("E-mail"),
    "role": _l("Role"),
    "active": _l("Active"),
    "locale": _l("Language"),
    "password": _l("Password"),
    "value": _l("Value"),
    "title": _l("Title"),
    "code": _l("Code"),
    "color": _l("Colour"),
    "kind": _l("Kind"),
    "key": _l("Key"),
    "type": _l("Type"),
    "choices": _l("Choices"),
    "state": _l("State"),
    "enabled": _l("Enabled"),
    "note": _l("Note"),
    "count": _l("Count"),
    "rows": _l("Rows"),
    "filters": _l("Filters"),
    "keywords": _l("Keywords"),
    "match": _l("Match"),
    "priority": _l("Priority"),
    "messages": _l("Messages"),
    "at": _l("Time"),
    "timezone": _l("Time zone"),
    "quiet_from": _l("Quiet hours from"),
    "quiet_until": _l("Quiet hours until"),
    "cap_messages": _l("Cap: messages"),
    "cap_days": _l("Cap: days"),
    "undo_minutes": _l("Undo window (minutes)"),
    "plan_name": _l("Plan"),
    "plan_included": _l("Messages included per month"),
    "plan_extra_price": _l("Price of an extra message"),
    "plan_fee": _l("Monthly fee (NT$)"),
    "plan_tiers": _l("Prices of extra messages"),
    "reserve_messages": _l("Messages of each month kept from broadcasts"),
    "approval_recipients": _l("Approval above so many recipients"),
    "approval_twd": _l("Approval above NT$"),
    "first_greeting_falls_back": _l("First greeting as a push when the reply fails"),
    "display_name": _l("Display name"),
    "status": _l("Status"),
    "topic": _l("Topic"),
    "description": _l("Description"),
    "frequency": _l("Frequency"),
    "wording": _l("Wording of the consent"),
    "life_months": _l("Months until the consent runs out"),
    "source": _l("Gained-through path"),
    "gender": _l("Gender"),
    "birth_year": _l("Birth year"),
    "birthday": _l("Birthday"),
    "region": _l("Region"),
    "os": _l("Operating system"),
    "tags": _l("Tags"),
    "tag": _l("Tag"),
    "friend": _l("Friend"),
    "line_user_id": _l("LINE user ID"),
    "position": _l("Position"),
    "archived_at": _l("Archived"),
    "into": _l("Merged into"),
    "benefit": _l("Benefit"),
    "benefit_value": _l("Benefit: number"),
    "benefit_text": _l("Benefit: gift"),
    "minimum_spend": _l("Minimum spend"),
    "valid_days": _l("Days"),
    "valid_from": _l("Valid from"),
    "valid_until": _l("Valid until"),
    "stock": _l("How many"),
    "per_friend": _l("Per friend"),
    "per_day": _l("Per day"),
    "who": _l("Who may have it"),
    "friends_only": _l("Current friends only"),
    "code_kind": _l("Code friends show"),
    "shared_code": _l("Shared code"),
    "picture": _l("Picture"),
    "after_tags": _l("Tags after redeeming"),
    "after_messages": _l("Message after redeeming"),
    "redeem": _l("How it is used"),
    "pin": _l("Shop PIN"),
    "terms": _l("Terms"),
    "intro": _l("Introduction"),
    "thanks": _l("Thank-you text"),
    "repeat": _l("How often a friend answers"),
    "coupon": _l("Coupon"),
    "gift_each": _l("A gift for every answer"),
    "questions": _l("Questions"),
    "redeemed": _l("Redeemed"),
    "branch": _l("Store"),
    "channel": _l("Channel"),
    "lead": _l("How long before"),
    "unit": _l("Days or hours"),
    "words": _l("Words"),
    "prizes": _l("Prizes"),
    "rule": _l("How often"),
    "way": _l("Where friends draw"),
    "starts_at": _l("Starts"),
    "ends_at": _l("Ends"),
    "amount": _l("Purchase"),
    "validity": _l("Validity"),
    "discount": _l("Discount"),
    "issued": _l("Issued"),
    "parts": _l("Messages"),
    "text": _l("Text"),
    "free": _l("Free"),
    "content": _l("Content"),
    "audience": _l("Recipients"),
    "tree": _l("Conditions"),
    "tag_rule": _l("Rule"),
    "holdout_percent": _l("Holdout (percent)"),
    "variants": _l("Further versions"),
    "service": _l("Service notice"),
    "wake": _l("Wake-up message"),
    "branch_reply": _l("Answer to a location with the nearest branch"),
    "address": _l("Street address"),
    "latitude": _l("Latitude"),
    "longitude": _l("Longitude"),
    "order_notices": _l("Notices about orders"),
    "wake_tries": _l("Wake-up messages without an answer until a friend is left alone"),
    "leaves_at": _l("Leaves at"),
    "time": _l("Time"),
    "number": _l("Running number"),
    "reason": _l("Reason"),
    "definition": _l("Definition"),
    "trigger": _l("Trigger"),
    "steps": _l("Steps"),
    "branches": _l("Branches"),
    "period_from": _l("Period from"),
    "period_until": _l("Period until"),
    "segment": _l("Segment"),
    "when_off": _l("When switched off, friends underway"),
    "when_over": _l("When the period is over, friends underway"),
    "add_tags": _l("Tags to add"),
    "hours_from": _l("Active from"),
    "hours_until": _l("Active until"),
    "deliveries": _l("Deliveries"),
    "shipments": _l("Shipments"),
    "recipients": _l("Recipients"),
    "created": _l("Added"),
    "updated": _l("Updated"),
    "failed": _l("Failed"),
    "total": _l("Total"),
    "by": _l("By"),
    "member_number": _l("Member number"),
    "phone": _l("Phone number"),
    "level": _l("Level"),
    "levels": _l("Levels"),
    "points": _l("Points"),
    "proof": _l("What friends have to know"),
    "points_days": _l("Days points are good for"),
    "remind_days": _l("Days before points end"),
    "remind_at": _l("Time of the reminder"),
    "remind_words": _l("Words of the reminder"),
    "greeting": _l("Greeting"),
    "returning": _l("Returning friends"),
    "file": _l("File"),
    "search": _l("Search"),
    "width": _l("Width"),
    "bytes": _l("Size in bytes"),
    "height": _l("Height"),
    "webhook": _l("Webhook address"),
    "url": _l("Address"),
    "browser": _l("Browser"),
    "ended": _l("Number ended"),
}
# What friends underway do
UNDERWAY = {"pause": _l("wait"), "finish": _l("finish"), "stop": _l("leave")}
UNSHOWN = {"id", "version"}

_readers: list[Callable[[Any], str | None]] = []
_labels: dict[str, Mapping[str, Any]] = {
    "role": ROLE_LABELS,
    "when_off": UNDERWAY,
    "when_over": UNDERWAY,
}


def ask_first(reader: Callable[[Any], str | None]) -> None:
    """Let a room above read values aloud (conditions, messages); None leaves them to us."""
    if reader not in _readers:
        _readers.append(reader)


def name_values(labels: Mapping[str, Mapping[str, Any]]) -> None:
    """Let a room above say what kept values are called: {field: {value: words}}."""
    _labels.update(labels)


def sentence(action: str) -> str:
    """ "broadcast.confirm" as 群發訊息：已確認; an unknown word stays as it is."""
    noun, _dot, verb = action.partition(".")
    return _("%(noun)s: %(verb)s", noun=NOUNS.get(noun, noun), verb=VERBS.get(verb, verb))


def field_name(key: str) -> str:
    """The name of a field, as staff know it."""
    return str(FIELDS.get(key, key))


def changes(row: Audit) -> list[tuple[str, str, str]]:
    """What a line changed: (field, before, after), each in words; an empty side is left empty."""
    before, after = row.before or {}, row.after or {}
    if not isinstance(before, dict) or not isinstance(after, dict):
        return [(field_name("value"), value_text(row.before), value_text(row.after))]
    keys = [key for key in {**before, **after} if key not in UNSHOWN]
    words = [
        (field_name(key), value_text(before.get(key), key), value_text(after.get(key), key))
        for key in keys
    ]
    return [one for one in words if one[1] or one[2]]


def value_text(value: Any, key: str = "") -> str:
    """One kept value as staff read it."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    for reader in _readers:
        words = reader(value)
        if words is not None:
            return words
    if key == "browser":
        return browser_name(str(value))
    if key in _labels:
        return str(_labels[key].get(str(value), value))
    if isinstance(value, int):
        return str(value) if key.endswith(("year", "id")) else format_count(value)
    if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
        return _(", ").join(str(item) for item in value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return _moment(str(value)) or str(value)


def _moment(text: str) -> str | None:
    if len(text) < 10 or text[4:5] != "-" or text[7:8] != "-":
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == 10:
        return format_date(moment.date())
    return format_datetime(moment) if moment.tzinfo is not None else None
