"""The shop's own settings: name, time zone, quiet hours, undo time; the cap for the owner."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from flask import flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response
from wtforms import (
    BooleanField,
    IntegerField,
    SelectField,
    StringField,
    validators,
)

from lineadmin import clock, settings
from lineadmin.admin import two_tabs
from lineadmin.admin.base import AdminPage, current_staff, needs
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l
from lineadmin.settings.shop import KEY, ShopSettings

NEAR = ("Asia/Taipei", "Asia/Tokyo", "Asia/Hong_Kong", "Asia/Bangkok", "Asia/Singapore")
MONEY_FIELDS = ("cap_on", "cap_messages", "cap_days")
TIME_BOX = {"type": "time"}


def _zones() -> list[tuple[str, str]]:
    others = sorted(
        name for name in available_timezones() if "/" in name and not name.startswith("Etc/")
    )
    names = (*NEAR, *(name for name in others if name not in NEAR))
    return [(name, name) for name in names]


class ShopForm(StaffForm):
    """Every setting of the shop; which parts count depends on the role."""

    name = StringField(
        _l("Shop name"),
        [validators.InputRequired(), validators.Length(max=60)],
        filters=[stripped],
        description=_l("Shown to staff on every page and on friends' coupons."),
    )
    timezone = SelectField(_l("Time zone"), choices=_zones)
    quiet_on = BooleanField(_l("Keep quiet hours"))
    quiet_from = StringField(_l("Quiet hours from"), [validators.Optional()], render_kw=TIME_BOX)
    quiet_until = StringField(_l("Quiet hours until"), [validators.Optional()], render_kw=TIME_BOX)
    undo_minutes = IntegerField(
        _l("Undo window (minutes)"),
        [validators.InputRequired(), validators.NumberRange(0, 60)],
        description=_l("So long can a broadcast be taken back after it was confirmed."),
    )
    wake_tries = IntegerField(
        _l("Wake-up messages without an answer until a friend is left alone"),
        [validators.Optional(), validators.NumberRange(0, 20)],
        description=_l("0: never left alone."),
    )
    first_greeting_falls_back = BooleanField(
        _l("Send the first greeting as a counted push when the free reply fails")
    )
    order_notices = BooleanField(
        _l("Tell friends how far their orders are"),
        description=_l(
            "One message for each new status, each counts as one of the month. Sent at once, also "
            "in quiet hours; never to friends who want no notifications."
        ),
    )
    branch_reply = BooleanField(
        _l("Answer a friend's location with the nearest branch"),
        description=_l("A free reply with its name, distance, address and a link to the map."),
    )
    cap_on = BooleanField(_l("Limit how often a friend hears from us"))
    cap_messages = IntegerField(
        _l("At most … messages"), [validators.Optional(), validators.NumberRange(1, 100)]
    )
    cap_days = IntegerField(
        _l("… in … days"), [validators.Optional(), validators.NumberRange(1, 90)]
    )

    def changes(self, *, money: bool) -> dict[str, Any]:
        """What to save; without `money` the owner's settings are left alone."""
        changes: dict[str, Any] = {
            "name": self.name.data,
            "timezone": self.timezone.data,
            "quiet_from": (self.quiet_from.data or None) if self.quiet_on.data else None,
            "quiet_until": (self.quiet_until.data or None) if self.quiet_on.data else None,
            "undo_minutes": self.undo_minutes.data,
            **({} if self.wake_tries.data is None else {"wake_tries": self.wake_tries.data}),
            "first_greeting_falls_back": self.first_greeting_falls_back.data,
            "order_notices": self.order_notices.data,
            "branch_reply": self.branch_reply.data,
        }
        if self.quiet_on.data and not (changes["quiet_from"] and changes["quiet_until"]):
            raise DomainError(_l("Quiet hours need both a start and an end."), field="quiet_from")
        if not money:
            return changes
        if self.cap_on.data and not (self.cap_messages.data and self.cap_days.data):
            raise DomainError(_l("The cap needs both messages and days."), field="cap_messages")
        return {
            **changes,
            "cap_messages": self.cap_messages.data if self.cap_on.data else None,
            "cap_days": self.cap_days.data if self.cap_on.data else None,
        }


def _form_of(shop: ShopSettings) -> ShopForm:
    return ShopForm(
        None,
        obj=shop,
        quiet_on=shop.quiet_from is not None,
        cap_on=shop.cap_messages is not None,
    )


class ShopSettingsView(AdminPage):
    """One form; managers see the owner's part without being able to change it."""

    required_permission = "edit"
    menu_icon = "settings"

    @expose("/", methods=("GET", "POST"))
    @needs("edit")
    def index(self) -> Response | str | tuple[str, int]:
        """Show and save the settings."""
        money = self.may("money")
        form = ShopForm(request.form) if request.method == "POST" else _form_of(settings.shop())
        note = None
        if request.method == "POST":
            if not money:
                self._restore_money(form)
            if form.validate():
                try:
                    settings.change_shop(
                        form.changes(money=money),
                        staff=current_staff(),
                        wall=clock.wall(),
                        version=two_tabs.posted_version(),
                    )
                except Conflict:
                    newest = _form_of(settings.shop())
                    note = two_tabs.merge(
                        form, newest, kind="setting", object_id=0, action="shop.edit"
                    )
                except DomainError as error:
                    if not form.refuse(error):
                        flash(str(error), "error")
                else:
                    flash(_("Saved."), "success")
                    return redirect(self.get_url(".index"))
        for name in () if money else MONEY_FIELDS:
            form[name].render_kw = {**(form[name].render_kw or {}), "disabled": True}
        page = self.render(
            "admin/shop_settings.html",
            form=form,
            money=money,
            conflict=note,
            edit_hidden=two_tabs.hidden_fields(_form_of(settings.shop()), settings.version_of(KEY)),
        )
        return (page, 409 if note else 400) if note or form.errors else page

    def _restore_money(self, form: ShopForm) -> None:
        stored = _form_of(settings.shop())
        for name in MONEY_FIELDS:
            form[name].data, form[name].raw_data = stored[name].data, None


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(ShopSettingsView(_l("Shop settings"), endpoint="shop_settings"), "settings", 20)]
