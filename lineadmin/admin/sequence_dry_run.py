"""Trying step messages out: for one friend, real or imaginary, and for everybody underway."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response
from wtforms import IntegerField, SelectField, SelectMultipleField, StringField, validators

from lineadmin import clock, config, settings
from lineadmin.admin import charts
from lineadmin.admin import friend_cells as cells
from lineadmin.admin.forms import StaffForm
from lineadmin.admin.gate import AdminPage
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.friends import queries
from lineadmin.friends.models import Friend, Source, Tag
from lineadmin.friends.regions import GENDERS, REGIONS, SYSTEMS
from lineadmin.i18n import _, _l, format_date, format_twd, local
from lineadmin.messages.preview import SAMPLE_NAME
from lineadmin.outbox import quota, reasons
from lineadmin.outbox.protocol import Prepare
from lineadmin.reports.moments import left_because
from lineadmin.sequences import actions, dry_run, forecast
from lineadmin.sequences.definition import Definition
from lineadmin.sequences.dry_play import NO_MESSAGE
from lineadmin.sequences.dry_run import Message, Outlook
from lineadmin.sequences.dry_start import Imaginary
from lineadmin.sequences.models import Sequence
from lineadmin.settings.cost import cost
from lineadmin.tasks.sending import preparer

MOST_FOUND = 8
REAL, IMAGINARY = "friend", "imaginary"

REFUSED: dict[str, Any] = {
    "blocked": _l("She has blocked the account, so she does not start."),
    "source": _l("She came from another source than the trigger names, so she does not start."),
    "period": _l("That is outside the period, so she does not start."),
    "no_date": _l("Her date is not known, or has passed, so she does not start."),
    "segment": _l("She is not in the segment, so she does not start."),
    "finished": _l("She has been through it already; each friend starts it once."),
    "stopped": _l("She left it before; each friend starts it once."),
    "held": _l("She is held after restoring a backup, until staff release it."),
    "not_started": _l("She does not start."),
}


class WhoForm(StaffForm):
    """Somebody imaginary, by what the shop would know of her."""

    source = SelectField(
        _l("Gained-through path"),
        choices=lambda: [
            ("", _l("not known")),
            *((row.code, row.name) for row in Source.select().order_by(Source.name)),
        ],
        validate_choice=False,
    )
    age = IntegerField(_l("Age"), [validators.Optional(), validators.NumberRange(0, 120)])
    gender = SelectField(
        _l("Gender"), choices=[("", _l("not known")), *GENDERS.items()], validate_choice=False
    )
    region = SelectField(
        _l("Region"), choices=[("", _l("not known")), *REGIONS.items()], validate_choice=False
    )
    os = SelectField(
        _l("OS"), choices=[("", _l("not known")), *SYSTEMS.items()], validate_choice=False
    )
    birthday = StringField(
        _l("Birthday"),
        [validators.Optional(), validators.Regexp(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")],
    )
    tags = SelectMultipleField(
        _l("Tags"),
        choices=lambda: [(tag.name, tag.name) for tag in Tag.select().order_by(Tag.name)],
        validate_choice=False,
    )

    def friend(self) -> Imaginary:
        """Whom the form describes."""
        return Imaginary(
            name=SAMPLE_NAME,
            source=self.source.data or "",
            age=self.age.data,
            birthday=self.birthday.data or None,
            gender=self.gender.data or None,
            region=self.region.data or None,
            os=self.os.data or None,
            tags=tuple(self.tags.data or ()),
        )


@dataclass(frozen=True)
class Line:
    """One message as the page shows it."""

    message: Message
    heading: str  # the day
    why: str
    moved: bool  # leaves at another moment than planned
    shared: bool  # another sequence's message goes out that day


class DryRunView(AdminPage):
    """Everybody may try; whom exactly only those who may look friends up."""

    in_menu = False

    @expose("/")
    def index(self) -> Response:
        """Which step messages? The list knows."""
        return redirect(self.get_url("sequences.index"))

    @expose("/<int:sequence_id>/")
    def one(self, sequence_id: int) -> str:
        """One friend, from now to the end."""
        row = _sequence(sequence_id)
        definition = actions.definition_of(row)
        given = {key: request.args.getlist(key) for key in request.args}
        form = WhoForm(request.args if given else None, meta={"csrf": False})
        may_look_up = self.may("lookup")
        friend = _friend() if may_look_up else None
        search = request.args.get("search", "").strip()[:200] if may_look_up else ""
        outlook, problem = None, ""
        if friend is not None or form.validate():
            try:
                outlook = dry_run.rehearse(
                    row,
                    definition,
                    form.friend() if friend is None else friend,
                    now=clock.now(),
                    prepare=_prepare_at,
                )
            except DomainError as error:
                problem = str(error)
        return self.render(
            "admin/sequence_dry_run.html",
            sequence=row,
            form=form,
            friend=friend,
            name=cells.name_of(friend) if friend else _("An imaginary friend"),
            search=search,
            found=_found(search) if search else [],
            outlook=outlook,
            problem=problem,
            lines=_lines(outlook) if outlook else [],
            summary=_summary(outlook, definition) if outlook else [],
            draft=row.draft is not None or row.live_version is None,
            may_look_up=may_look_up,
            refused=REFUSED,
        )

    @expose("/<int:sequence_id>/branches/")
    def branches(self, sequence_id: int) -> str:
        """Somebody new in each branch, side by side."""
        row = _sequence(sequence_id)
        outlooks, problem = [], ""
        try:
            outlooks = dry_run.every_branch(
                row,
                actions.definition_of(row),
                now=clock.now(),
                prepare=_prepare_at,
                name=SAMPLE_NAME,
            )
        except DomainError as error:
            problem = str(error)
        return self.render(
            "admin/sequence_dry_branches.html",
            sequence=row,
            columns=[(_branch_name(one), one, _own_lines(one)) for one in outlooks],
            messages=sum(message.sent for one in outlooks for message in one.own),
            problem=problem,
            refused=REFUSED,
        )

    @expose("/<int:sequence_id>/all/")
    def everybody(self, sequence_id: int) -> str:
        """Everybody underway: messages and money by day, and shared days."""
        row = _sequence(sequence_id)
        now = clock.now()
        coming = forecast.messages(now)
        shared = forecast.collisions(row.id, now)
        return self.render(
            "admin/sequence_forecast.html",
            sequence=row,
            coming=coming,
            chart=_chart(coming, row),
            days=_priced(coming, now),
            shared=shared,
            shared_days=sorted(shared.by_day.items()),
            shared_names=_(", ").join(shared.others.values()),
        )


def _sequence(sequence_id: int) -> Sequence:
    row: Sequence = Sequence.get_or_none(Sequence.id == sequence_id) or abort(404)
    return row


def _friend() -> Friend | None:
    number = request.args.get("friend", "")
    if not number.isdecimal() or len(number) > 9:
        return None
    found: Friend | None = Friend.get_or_none(Friend.id == int(number))
    return found


def _found(search: str) -> list[tuple[int, str]]:
    rows = Friend.select().where(queries.named_few(search)).limit(MOST_FOUND)
    return [(row.id, cells.name_of(row)) for row in rows]


def _prepare_at(moment: datetime) -> Prepare:
    return preparer(config.current(), lambda: moment)


def _lines(outlook: Outlook) -> list[Line]:
    days = Counter(local(one.at).date() for one in outlook.messages if one.sent)
    return [
        Line(
            one,
            format_date(local(one.at)),
            _why(one),
            moved=one.sent and one.at != one.due_at,
            shared=one.sent and days[local(one.at).date()] > 1,
        )
        for one in outlook.messages
    ]


def _own_lines(outlook: Outlook) -> list[Line]:
    return [line for line in _lines(outlook) if line.message.mine]


def _branch_name(outlook: Outlook) -> str:
    return outlook.branch_name or _("Everyone else")


def _why(message: Message) -> str:
    if message.reason == NO_MESSAGE:
        return _("This step has no message yet.")
    told = [reasons.label(message.reason)] if message.reason else []
    return "・".join([*told, message.detail] if message.detail else told)


def _summary(outlook: Outlook, definition: Definition) -> list[tuple[str, str]]:
    """What is true of the whole run."""
    told: list[tuple[str, str]] = []
    if outlook.since is not None:
        told.append((_("Underway since"), format_date(local(outlook.since))))
    elif outlook.starts_at is not None:
        told.append((_("Starts"), format_date(local(outlook.starts_at))))
    if definition.branched and outlook.branch is not None:
        told.append((_("Branch"), outlook.branch_name or _("Everyone else")))
    told.append((_("Messages"), str(sum(one.sent for one in outlook.own))))
    if outlook.end:
        ended = left_because(outlook.end_reason)
        if outlook.ended_at is not None:
            ended = f"{ended}・{format_date(local(outlook.ended_at))}"
        told.append((_("Ends"), ended))
    return told


def _chart(coming: forecast.Forecast, row: Sequence) -> charts.Chart:
    mine = coming.by_sequence.get(row.id, {})
    return charts.bars(
        _("Messages a day over the next 30 days"),
        _("Day"),
        [f"{day.month}/{day.day}" for day in coming.days],
        [
            (row.name, [mine.get(day, 0) for day in coming.days]),
            (_("Other step messages"), [coming.on(day) - mine.get(day, 0) for day in coming.days]),
        ],
    )


def _priced(coming: forecast.Forecast, now: datetime) -> list[tuple[str, int, str]]:
    """(day, messages, NT$) of every day with messages: what it costs on top of the days before."""
    shop = settings.shop()
    with atomic():
        meter = quota.meter(now)
    used = {meter.month: meter.used + meter.reserved + meter.unknown}
    told = []
    for day in coming.days:
        count = coming.on(day)
        if not count:
            continue
        month = f"{day:%Y-%m}"
        price = cost(count, used=used.get(month, 0), shop=shop)
        used[month] = used.get(month, 0) + count
        told.append((format_date(day), count, _money(price.twd, price.sold_out)))
    return told


def _money(twd: float | None, sold_out: bool) -> str:
    if sold_out:
        return _("over the plan")
    return _("plan not set") if twd is None else format_twd(twd)


def views() -> list[tuple[Any, str, int]]:
    """The screen; the editor leads to it."""
    return [(DryRunView(_l("Dry run"), endpoint="dry_run", url="/admin/dry-run"), "messages", 21)]
