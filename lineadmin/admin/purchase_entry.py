"""At the counter: find the friend, and enter what she bought."""

from __future__ import annotations

import secrets
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField, validators

from lineadmin import clock, i18n
from lineadmin.admin import friend_cells as cells
from lineadmin.admin.forms import MomentField, StaffForm, stripped
from lineadmin.admin.friend_answer import find_friend
from lineadmin.admin.gate import current_staff, needs
from lineadmin.coupons import codes
from lineadmin.coupons import redeem as counter
from lineadmin.errors import DomainError
from lineadmin.friends import queries as friends
from lineadmin.friends.models import Friend, FriendField
from lineadmin.i18n import _, _l
from lineadmin.members import actions as members
from lineadmin.members.models import Member
from lineadmin.purchases import queries, record
from lineadmin.purchases.cells import read_amount
from lineadmin.purchases.entry import LONGEST, Entry, Line
from lineadmin.purchases.states import DONE, STAFF, STATUS_LABELS

FOUND_MOST = 20
ROWS = 4  # lines offered
LINE_KEYS = ("name", "category", "quantity", "amount")


class PurchaseForm(StaffForm):
    """One purchase; what it is made of are rows beside it."""

    amount = StringField(
        _l("Amount (NT$)"),
        [validators.Optional()],
        filters=[stripped],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )
    receipt_no = StringField(
        _l("Receipt number"),
        [validators.InputRequired(), validators.Length(max=LONGEST["receipt_no"])],
        filters=[stripped],
        render_kw={"autocomplete": "off"},
    )
    at = MomentField(_l("Bought at"), [validators.Optional()])
    status = SelectField(_l("Status"), choices=list(STATUS_LABELS.items()), default=DONE)
    branch = StringField(
        _l("Store"),
        [validators.Length(max=LONGEST["branch"])],
        filters=[stripped],
        render_kw={"list": "known-stores", "autocomplete": "off"},
    )
    channel = StringField(
        _l("Channel"), [validators.Length(max=LONGEST["channel"])], filters=[stripped]
    )
    note = StringField(_l("Note"), [validators.Length(max=LONGEST["note"])], filters=[stripped])


class PurchaseEntry:
    """The entry's pages of the purchases screen."""

    render: Any
    get_url: Any

    @expose("/new/", methods=("GET", "POST"))
    @needs("record")
    def create_view(self) -> Response | str | tuple[str, int]:
        """First the friend, then the purchase."""
        if not request.args.get("friend"):
            text = request.args.get("q", "").strip()[:100]
            return str(
                self.render(
                    "admin/purchase_find.html",
                    text=text,
                    found=[(friend, cells.face(friend)) for friend in find_friends(text)],
                )
            )
        friend = find_friend(request.args.get("friend", 0, type=int))
        form = PurchaseForm(request.form or None)
        rows = _rows() if request.method == "POST" else []
        if request.method == "GET":
            form.receipt_no.data = _new_number()
        elif form.validate():
            try:
                row, new = self._enter(form, friend, rows)
            except DomainError as error:
                if not form.refuse(error):
                    flash(str(error), "error")
            else:
                flash(_("Recorded.") if new else _("This receipt was recorded before."), "success")
                return redirect(self.get_url(".details_view", id=row.id))
        page = self.render(
            "admin/purchase_new.html",
            form=form,
            friend=friend,
            friend_name=cells.name_of(friend),
            rows=[*rows, *[dict.fromkeys(LINE_KEYS, "")] * (ROWS - len(rows))],
            categories=queries.categories(),
            stores=queries.places(),
        )
        return (page, 400) if form.errors else str(page)

    def _enter(self, form: PurchaseForm, friend: Friend, rows: list[dict[str, str]]) -> Any:
        """:raises DomainError: something typed cannot be right"""
        now = clock.now()
        entry = Entry(
            receipt_no=form.receipt_no.data or "",
            friend_id=friend.id,
            at=form.at.data or now,
            amount=read_amount(form.amount.data or ""),
            channel=form.channel.data or "",
            branch=form.branch.data or "",
            status=form.status.data,
            note=form.note.data or "",
            lines=tuple(_line(row) for row in rows),
        )
        return record.record(entry, origin=STAFF, staff=current_staff(), now=now, wall=clock.wall())


def find_friends(text: str) -> list[Friend]:
    """Friends by name, by the code of a coupon they hold, by member number or telephone, or by
    a text of the shop's own fields."""
    if not text:
        return []
    entry = codes.read_entry(text)
    copy = counter.find(code=entry.code, token=entry.token) or counter.find_given(entry.text)
    ids = [copy.friend_id] if copy is not None else []
    own = FriendField.select(FriendField.friend).where(FriendField.text == text).limit(FOUND_MOST)
    ids += friends.ids(own)
    phone = members.digits_of(text)
    mine = Member.number == text
    if phone:
        mine |= (Member.phone == phone) & (Member.phone != "")
    bound = Member.select(Member.friend).where(mine, Member.friend.is_null(False))
    ids += friends.ids(bound.limit(FOUND_MOST))
    named = Friend.select().where(friends.named(text)).order_by(Friend.display_name)
    found = list(Friend.select().where(Friend.id.in_(ids))) if ids else []
    found += [row for row in named.limit(FOUND_MOST) if row.id not in ids]
    return found[:FOUND_MOST]


def _new_number() -> str:
    return f"M{i18n.local(clock.now()):%Y%m%d}-{secrets.token_hex(3)}"


def _rows() -> list[dict[str, str]]:
    """The lines that were typed, those without a word left out."""
    typed = [
        {key: request.form.get(f"line-{number}-{key}", "").strip() for key in LINE_KEYS}
        for number in range(ROWS)
    ]
    return [row for row in typed if any(row.values())]


def _line(row: dict[str, str]) -> Line:
    quantity = row["quantity"] or "1"
    if not (quantity.isascii() and quantity.isdecimal() and len(quantity) < 7):
        raise DomainError(_l("The quantity is a whole number."))
    return Line(row["name"], row["category"], int(quantity), read_amount(row["amount"]))
