"""What follows the redemption of a coupon: tags at once, and a message when the undo is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock, config, settings
from lineadmin.admin import two_tabs
from lineadmin.admin.base import AdminPage, current_staff, needs
from lineadmin.admin.broadcast_sum import cost_words
from lineadmin.admin.composer import PartsField
from lineadmin.admin.forms import StaffForm
from lineadmin.admin.reply_form import TagsField
from lineadmin.coupons import actions
from lineadmin.coupons.models import Coupon
from lineadmin.coupons.offer import Offer
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends import queries
from lineadmin.i18n import _, _l
from lineadmin.messages.keep import keep
from lineadmin.outbox import quota
from lineadmin.outbox.models import Content
from lineadmin.sequences.by_coupon import started_by_redeeming
from lineadmin.settings.cost import cost


class AfterForm(StaffForm):
    """Tags and a message; both may stay empty."""

    after_tags = TagsField(_l("Tag whoever redeems it"))
    after_messages = PartsField(_l("Message after redeeming"), required=False)


class CouponAfterView(AdminPage):
    """One form per coupon, reached from the coupon's own page."""

    in_menu = False

    @expose("/", methods=("GET", "POST"))
    @needs("view", post="edit")
    def index(self) -> Response | str | tuple[str, int]:
        """Show and save what follows the redemption of the coupon `id`."""
        coupon = Coupon.get_or_none(Coupon.id == request.args.get("id", 0, type=int)) or abort(404)
        form = AfterForm(request.form) if request.method == "POST" else _stored(coupon)
        note = None
        version = coupon.version
        if request.method == "POST":
            version = two_tabs.posted_version(version)
            if form.validate():
                try:
                    self._save(coupon, form, version)
                except Conflict:
                    coupon = Coupon.get_by_id(coupon.id)
                    note = two_tabs.merge(form, _stored(coupon), kind="coupon", object_id=coupon.id)
                    version = coupon.version
                except DomainError as error:
                    if not form.refuse(error):
                        flash(str(error), "error")
                else:
                    flash(_("Saved."), "success")
                    return redirect(url_for("coupons.details_view", id=coupon.id))
        page = self.render(
            "admin/coupon_after.html",
            coupon=coupon,
            form=form,
            conflict=note,
            edit_hidden=two_tabs.hidden_fields(_stored(coupon), version),
            can_edit=self.may("edit") and coupon.state != "closed",
            money=cost_words(cost(1, used=quota.meter(clock.now()).taken, shop=settings.shop())),
            sequences=started_by_redeeming(coupon.code),
        )
        return (page, 409 if note else 400) if note or form.errors else page

    def _save(self, coupon: Coupon, form: AfterForm, version: int) -> None:
        parts = form.after_messages.data
        content: Content | None = None
        if parts:
            content = keep(
                parts,
                field="after_messages",
                now=clock.now(),
                public_url=config.current().public_url,
            )
        offer = replace(
            Offer.of(coupon),
            after_tags=list(form.after_tags.data or []),
            after_messages=list(content.parts) if content is not None else [],
            after_content_id=content.id if content is not None else None,
        )
        actions.edit(coupon.id, offer, version=version, staff=current_staff(), wall=clock.wall())


def line_for(coupon: Coupon) -> str:
    """What the coupon's own page says about it."""
    names = {tag.id: tag.name for tag in queries.all_tags()}
    told = [names[tag] for tag in coupon.after_tags or [] if tag in names]
    lines = [_("tag %(tags)s", tags=_(", ").join(told))] if told else []
    content = Content.get_or_none(Content.id == coupon.after_content_id)
    if content is not None:
        lines.append(_("message “%(text)s”", text=content.summary))
    lines += [_("starts “%(name)s”", name=row.name) for row in started_by_redeeming(coupon.code)]
    return "・".join(lines) or _("Nothing")


def _stored(coupon: Coupon) -> AfterForm:
    return AfterForm(
        None, after_tags=coupon.after_tags or [], after_messages=coupon.after_messages or []
    )


def views() -> list[tuple[Any, str, int]]:
    """The screen; it has no place in the menu of its own."""
    return [(CouponAfterView(_l("After redeeming"), endpoint="coupon_after"), "offers", 12)]
