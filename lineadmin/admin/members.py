"""Members: the list, one member with her points and her LINE, files in and out."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import IntegerField, SelectField, StringField, validators

from lineadmin import clock, settings
from lineadmin.admin import listing
from lineadmin.admin.base import StaffModelView, current_staff, flash_refusals, needs
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.admin.friend_cells import name_of
from lineadmin.admin.member_files import MemberFiles
from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend
from lineadmin.i18n import _, _l, format_count
from lineadmin.members import actions, binding, points
from lineadmin.members.actions import Details
from lineadmin.members.models import Member
from lineadmin.members.setup import setup

BOUND, UNBOUND, CLAIMED = "bound", "unbound", "claimed"
LINES = 50


class MemberForm(StaffForm):
    """What is known of a member beside her points and her LINE."""

    number = StringField(
        _l("Member number"),
        [validators.InputRequired(), validators.Length(max=40)],
        filters=[stripped],
    )
    name = StringField(_l("Name"), [validators.Length(max=80)], filters=[stripped])
    phone = StringField(_l("Phone number"), [validators.Length(max=30)], filters=[stripped])
    birthday = StringField(
        _l("Birthday"), [validators.Length(max=10)], render_kw={"type": "date"}, filters=[stripped]
    )
    level = SelectField(_l("Level"), validate_choice=False)

    def __init__(self, formdata: Any = None, obj: Any = None, **kwargs: Any) -> None:
        super().__init__(formdata, obj, **kwargs)
        levels = [("", _("No level")), *((level, level) for level in setup().levels)]
        if self.level.data and self.level.data not in dict(levels):
            levels.append((self.level.data, self.level.data))
        self.level.choices = levels

    def details(self) -> Details:
        """What members/actions.py takes."""
        return Details(
            self.number.data or "",
            self.name.data or "",
            self.phone.data or "",
            self.birthday.data or "",
            self.level.data or "",
        )


class PointsForm(StaffForm):
    """Points to give, or to take."""

    amount = IntegerField(_l("Points"), [validators.InputRequired()])
    reason = StringField(_l("Reason"), [validators.Length(max=points.LONGEST_REASON)])
    until = StringField(
        _l("Good through"),
        [validators.Length(max=10)],
        render_kw={"type": "date"},
        filters=[stripped],
        description=_l("Empty: they do not end. Only for points that are given."),
    )


def _state(query: Any, value: str) -> Any:
    if value == CLAIMED:
        claimed = {claim.member_id for claim in binding.open_claims()}
        return query.where(Member.id.in_(sorted(claimed)))
    return query.where(Member.friend.is_null(value == UNBOUND))


def _level(query: Any, value: str) -> Any:
    return query.where(Member.level == value)


def _friend(view: Any, context: Any, row: Member, name: str) -> Markup | str:
    if row.friend is None:
        return ""
    address = url_for("friends.page", friend_id=row.friend_id)
    return Markup('<a href="{}">{}</a>').format(address, name_of(row.friend))


def _points(view: Any, context: Any, row: Member, name: str) -> str:
    return format_count(row.points)


class MembersView(MemberFiles, StaffModelView):
    """Members of the shop."""

    required_permission = "lookup"
    create_permission = edit_permission = "edit"
    export_permission = "export_all"
    exportable = True
    menu_icon = "user"
    default_sort = ("id", True)
    column_list = ("number", "name", "phone", "level", "points", "friend")
    column_export_list = ("number", "name", "phone", "birthday", "level")
    column_sortable_list = ("number", "points")
    column_labels = {"number": _l("Member number"), "friend": _l("LINE friend")}
    column_formatters = {"friend": _friend, "points": _points}
    number_columns = ("points",)
    search_columns = (Member.number, Member.name, Member.phone)
    list_template = "admin/members.html"
    toolbar_filters = (
        listing.Filter(
            "state",
            _l("LINE friend"),
            lambda: [
                (BOUND, _("Bound")),
                (UNBOUND, _("Not bound")),
                (CLAIMED, _("Claimed twice")),
            ],
            _state,
        ),
        listing.Filter(
            "level", _l("Level"), lambda: [(one, one) for one in setup().levels], _level
        ),
    )

    @property
    def enabled(self) -> bool:
        """Whether the shop has members at all."""
        return setup().enabled

    def create_label(self) -> str:
        return _("Add a member")

    def search_label(self) -> str:
        return _("Number, name or phone")

    def empty_title(self) -> str:
        return _("No members yet")

    def empty_text(self) -> str:
        return _("Add them one by one, or take them over from a file.")

    def row_label(self, record: Member) -> str:
        return f"{record.number} {record.name}".strip()

    def row_url(self, record: Member) -> str:
        return self._page(record.id)

    def get_create_form(self) -> Any:
        return MemberForm

    def get_edit_form(self) -> Any:
        return MemberForm

    def create_record(self, form: MemberForm) -> Member:
        return actions.create(
            form.details(), staff=current_staff(), now=clock.now(), wall=clock.wall()
        )

    def save_record(self, form: MemberForm, record: Member, version: int) -> None:
        actions.edit(
            record,
            form.details(),
            version=version,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )

    def after_create_url(self, record: Member) -> str:
        return self._page(record.id)

    def after_save_url(self, record: Member) -> str:
        return self._page(record.id)

    @expose("/<int:id>/")
    def one(self, id: int) -> str:
        """One member."""
        return self._draw(self._row(id))

    @expose("/<int:id>/points/", methods=("POST",))
    @needs("redeem")
    def change_points(self, id: int) -> Response | str | tuple[str, int]:
        """Give or take points; a form that is sent twice changes once."""
        member = self._row(id)
        form = PointsForm(request.form)
        sign = -1 if request.form.get("way") == points.TAKE else 1
        try:
            if not form.validate():
                return self._draw(member, form), 400
            asked = points.Change(
                sign * abs(form.amount.data or 0),
                (form.reason.data or "").strip(),
                self._until(form) if sign > 0 else None,
                f"staff:{request.form.get('request_key', '')[:60]}",
            )
            points.change(
                member.id, asked, staff=current_staff(), now=clock.now(), wall=clock.wall()
            )
        except DomainError as error:
            if not form.refuse(error):
                flash(str(error), "error")
            return self._draw(member, form), 400
        flash(_("%(count)s points.", count=f"{asked.amount:+,}"), "success")
        return redirect(self._page(member.id))

    @expose("/<int:id>/unbind/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def unbind(self, id: int) -> Response | str:
        """Take her LINE off a member; asks first."""
        member = self._row(id)
        if not self.confirmed():
            return self.confirm(
                _("Unbind the member %(number)s?", number=member.number),
                text=_(
                    "Her LINE no longer shows this card and its points. Number, points and "
                    "history stay; whoever knows number and proof can bind it anew."
                ),
                label=_("Unbind"),
                cancel_url=self._page(member.id),
            )
        binding.unbind(member.id, staff=current_staff(), now=clock.now(), wall=clock.wall())
        flash(_("The member %(number)s is unbound.", number=member.number), "success")
        return redirect(self._page(member.id))

    @expose("/<int:id>/settle/", methods=("POST",))
    @needs("edit")
    def settle(self, id: int) -> Response:
        """The double claims on a member have been looked into."""
        member = self._row(id)
        binding.settle(member.id, staff=current_staff(), now=clock.now(), wall=clock.wall())
        return redirect(self._page(member.id))

    @expose("/bind/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def bind(self) -> Response:
        """Bind a friend, from her page, to the member with this number."""
        friend = Friend.get_or_none(Friend.id == request.form.get("friend", 0, type=int))
        if friend is None:
            abort(404)
        number = request.form.get("number", "")[:60]
        member = actions.by_number(number)
        if member is None:
            raise DomainError(_("There is no member with the number %(number)s.", number=number))
        binding.bind_by_staff(
            member, friend.id, staff=current_staff(), now=clock.now(), wall=clock.wall()
        )
        flash(_("The member %(number)s is bound.", number=member.number), "success")
        return redirect(url_for("friends.page", friend_id=friend.id))

    def _draw(self, member: Member, form: PointsForm | None = None) -> str:
        now, zone = clock.now(), settings.shop_zone()
        usual = points.usual_end(now, zone)
        return str(
            self.render(
                "admin/member.html",
                member=member,
                friend_name=name_of(member.friend) if member.friend is not None else "",
                balance=points.balance(member.id, now),
                lots=[lot for lot in points.expiring(member.id) if lot[0] is None or lot[0] > now],
                last_day=_last_day,
                entries=points.entries(member.id, limit=LINES),
                kinds=KINDS,
                form=form or PointsForm(None, until=_last_day(usual) if usual else ""),
                request_key=str(uuid.uuid4()),
                claims=[
                    (claim, Friend.get_or_none(Friend.id == claim.friend_id))
                    for claim in binding.open_claims(member.id)
                ],
                name_of=name_of,
            )
        )

    def _until(self, form: PointsForm) -> datetime | None:
        written = form.until.data or ""
        if not written:
            return None
        day = actions.read_day(written)
        if day is None:
            raise DomainError(_l("Write a day such as 2026-12-31."), field="until")
        return points.end_of_day(day, settings.shop_zone())

    def _page(self, member_id: int) -> str:
        return str(self.get_url(".one", id=member_id))

    def _row(self, member_id: int) -> Member:
        found = Member.get_or_none(Member.id == member_id)
        member: Member = found or abort(404)
        return member


KINDS: dict[str, Any] = {
    points.GIVE: _l("Points received"),
    points.TAKE: _l("Points used"),
    points.EXPIRE: _l("Points expired"),
}


def _last_day(ends: datetime) -> str:
    local = (ends - timedelta(milliseconds=1)).astimezone(settings.shop_zone())
    return local.date().isoformat()


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(MembersView(Member, _l("Members"), endpoint="members"), "friends", 15)]
