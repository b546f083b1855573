"""What the doctor found, in sentences, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lineadmin.checkup.look import Finding
from lineadmin.i18n import _, _l, format_count
from lineadmin.line import errors

AREAS: dict[str, Any] = {
    "settings": _l("Settings of this server"),
    "database": _l("Database"),
    "redis": _l("Redis"),
    "migrations": _l("Tables"),
    "worker": _l("Worker"),
    "account": _l("LINE account"),
    "webhook": _l("Webhook"),
    "quota": _l("Monthly messages"),
    "sending": _l("Sending"),
    "manager": _l("LINE Official Account Manager"),
}

# code: (what was found, what to do about it)
WORDS: dict[str, tuple[Any, Any]] = {
    "settings_fine": (_l("Complete."), ""),
    "no_public_url": (
        _l("PUBLIC_URL is not set: LINE cannot send us events, nor show pictures and coupons."),
        _l("Set PUBLIC_URL to the https address of this panel and start again."),
    ),
    "no_channel_secret": (
        _l("LINE_CHANNEL_SECRET is not set: every webhook is refused."),
        _l("Copy the channel secret from the LINE Developers Console, set it and start again."),
    ),
    "no_owner": (
        _l("There is no owner."),
        _l("Run: flask staff create EMAIL --role owner"),
    ),
    "database_down": (
        _l("It does not answer: %(error)s"),
        _l("Check DATABASE_URL, and whether the database server runs."),
    ),
    "sqlite": (_l("SQLite, %(path)s"), ""),
    "postgres": (_l("PostgreSQL"), ""),
    "disk_full": (
        _l("Only %(megabytes)s MB are free on its disk."),
        _l("Make room before it is full: then nothing can be stored any more."),
    ),
    "redis": (_l("It answers."), ""),
    "redis_down": (
        _l("It does not answer: %(error)s"),
        _l(
            "Check REDIS_URL, and whether Redis runs. Until then a worker on another machine "
            "notices new work only by looking, up to a second later."
        ),
    ),
    "migrations_done": (_l("Up to date."), ""),
    "migrations_pending": (
        _l("These changes are missing: %(names)s"),
        _l("Run: flask migrate"),
    ),
    "worker_alive": (_l("At work %(seconds)s seconds ago."), ""),
    "worker_silent": (
        _l("Silent for %(minutes)s minutes: nothing is answered and nothing is sent."),
        _l("Start the program again, and look into its log for the reason."),
    ),
    "worker_never": (
        _l("It has never run here: nothing is answered and nothing is sent."),
        _l("Start it with: flask serve"),
    ),
    "account": (_l("Connected to %(name)s (%(id)s)."), ""),
    "no_token": (
        _l("No channel access token is set: nothing can be sent."),
        _l(
            "Set LINE_CHANNEL_ACCESS_TOKEN (LINE Developers Console, tab Messaging API), or "
            "LINE_CHANNEL_ID together with the channel secret, and start again."
        ),
    ),
    "webhook_unset": (
        _l("LINE does not know where to send events."),
        _l("Press “Set webhook address” on the screen LINE connection."),
    ),
    "webhook_elsewhere": (
        _l("LINE sends events to %(url)s instead of %(wanted)s."),
        _l("Press “Set webhook address” on the screen LINE connection, or correct PUBLIC_URL."),
    ),
    "webhook_off": (
        _l("The address is right, but “Use webhook” is switched off at LINE."),
        _l(
            "Switch it on in the LINE Developers Console, tab Messaging API: only people can, "
            "there is no way to do it from here."
        ),
    ),
    "webhook_works": (_l("LINE reaches us at %(url)s."), ""),
    "webhook_fails": (
        _l("LINE called %(url)s without success: %(reason)s (%(status)s) %(detail)s"),
        _l(
            "Open the address from outside: it needs a valid https certificate and must lead to "
            "this server."
        ),
    ),
    "quota_left": (_l("%(used)s of %(limit)s used this month."), ""),
    "quota_unlimited": (_l("%(used)s used this month; LINE sets no limit."), ""),
    "quota_gone": (
        _l("All %(limit)s messages of this month are used; replies stay free."),
        _l("Raise the plan or the limit in LINE Official Account Manager, or wait for the month."),
    ),
    "plan_above_line": (
        _l("The shop's plan says %(plan)s messages, LINE allows %(limit)s."),
        _l("Correct the plan in the shop settings."),
    ),
    "sending_fine": (_l("Nothing is held back."), ""),
    "sending_stopped": (
        _l("All sending is stopped (by %(by)s)."),
        _l("Press “Resume sending” when it may go on."),
    ),
    "line_paused": (
        _l("Paused since LINE did not accept our access (%(status)s)."),
        _l("Correct the token, then press “Check now” on the screen LINE connection."),
    ),
    "unknown_shipments": (
        _l("%(count)s sendings have no clear answer from LINE."),
        _l("Decide about them on the screen “To be decided”."),
    ),
    "events_aside": (
        _l("%(count)s webhook events could not be handled."),
        _l("Look at them under “To be answered”, and replay them once the cause is gone."),
    ),
    "held_deliveries": (
        _l("%(count)s messages are on hold after restoring a backup."),
        _l("Release or drop them on the screen “To be decided”."),
    ),
    "held_broadcasts": (
        _l("%(count)s broadcasts are on hold after restoring a backup."),
        _l("Release or cancel each on its page."),
    ),
    "held_enrolments": (
        _l("%(count)s friends' step messages are on hold after restoring a backup."),
        _l("Release or end them on the page of the step messages."),
    ),
    "manager": (
        _l("Its greeting and its auto-response fire beside ours, and that cannot be seen here."),
        _l("Switch both off there once: the screen LINE connection shows where."),
    ),
}


@dataclass(frozen=True)
class Told:
    """One finding as staff read it."""

    kind: str
    area: str
    found: str
    todo: str


def tell(finding: Finding) -> Told:
    """The finding in the reader's language."""
    area = str(AREAS.get(finding.area, finding.area))
    if finding.code == "line_error":
        return Told(finding.kind, area, _line_sentence(finding.values), "")
    found, todo = WORDS[finding.code]
    values = {
        key: format_count(value) if isinstance(value, int) else value
        for key, value in finding.values.items()
    }
    if finding.code == "sending_stopped" and not values["by"]:
        values["by"] = _("the program")
    return Told(finding.kind, area, str(found) % values if values else str(found), str(todo))


def _line_sentence(values: dict[str, Any]) -> str:
    kind = getattr(errors, str(values["error"]), errors.LineError)
    return errors.sentence(kind(values["status"], message=values["message"]))
