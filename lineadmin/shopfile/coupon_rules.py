"""What of a coupon names other things of the file: whom it is for, and what follows its use."""

from __future__ import annotations

from typing import Any

from lineadmin import segments
from lineadmin.coupons import actions, partner_codes
from lineadmin.coupons.models import Coupon
from lineadmin.coupons.offer import LIST, Offer
from lineadmin.errors import DomainError
from lineadmin.friends.models import Tag
from lineadmin.messages.keep import keep
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.errors import Path
from lineadmin.shopfile.schema import AfterPart, CouponPart

PLACES: dict[str, Path] = {"after_tags": ("after", "add_tags"), "after_messages": ("after",)}


def load_coupon_rules(parts: list[CouponPart], context: Context) -> None:
    """Set them, once every coupon and segment of the file is there."""
    tags = {tag.name: tag.id for tag in Tag.select()}
    for index, part in enumerate(parts):
        path: Path = ("coupons", index)
        coupon = Coupon.get(Coupon.code == part.code)
        values = Offer.of(coupon).columns()
        if part.given("who"):
            with context.at((*path, "who")):
                if part.who is not None:
                    segments.check_names(segments.parse(part.who))
            values["who"] = part.who
        if part.given("after"):
            values.update(_after(part.after or AfterPart(), tags, (*path, "after"), context))
        with context.at(path, PLACES):
            changed = actions.load(
                Offer(**values), staff=context.staff, now=context.now, wall=context.wall
            )
        changed = _load_codes(part, coupon, path, context) or changed
        changed = _load_switches(part, coupon, path, context) or changed
        if changed:
            context.report.note_change("coupon", part.code)


def dump_coupon_rules(coupon: Coupon) -> dict[str, Any]:
    """Their keys, for a coupon that has them. Of a partner's codes those that are still free."""
    item: dict[str, Any] = {}
    if coupon.who is not None:
        item["who"] = coupon.who
    after: dict[str, Any] = {}
    if coupon.after_tags:
        names = Tag.select(Tag.name).where(Tag.id.in_(coupon.after_tags))
        after["add_tags"] = sorted(tag.name for tag in names)
    if coupon.after_messages:
        after["messages"] = coupon.after_messages
    if after:
        item["after"] = after
    if coupon.code_kind == LIST:
        item["code_list"] = partner_codes.free_codes_of(coupon)
    if coupon.claim_token:
        item["claim_link"] = True
    if coupon.archived_at is not None:
        item["archived"] = True
    return item


def _after(after: AfterPart, tags: dict[str, int], path: Path, context: Context) -> dict[str, Any]:
    ids = []
    for number, name in enumerate(after.add_tags or []):
        if name not in tags:
            raise context.refuse((*path, "add_tags", number), f"there is no tag {name!r}")
        ids.append(tags[name])
    messages = after.messages or []
    content = None
    if messages:
        context.check_messages((*path, "messages"), messages)
        with context.at(path):
            content = keep(
                messages, field="messages", now=context.now, public_url=context.public_url
            )
    return {
        "after_tags": sorted(ids),
        "after_messages": content.parts if content is not None else [],
        "after_content_id": content.id if content is not None else None,
    }


def _load_codes(part: CouponPart, coupon: Coupon, path: Path, context: Context) -> bool:
    """Add those of the list that are not known, in the order of the file."""
    known = set(partner_codes.codes_of(coupon))
    new = [code for code in part.code_list or [] if partner_codes.tidy(code) not in known]
    if not new:
        return False
    for number, code in enumerate(part.code_list or []):
        if "\n" in code or len(code) > partner_codes.LONGEST:
            raise context.refuse((*path, "code_list", number), "this cannot be a code")
    with context.at((*path, "code_list"), {"codes": ()}):
        partner_codes.add_codes(
            coupon.id,
            "\n".join(f'"{code}"' for code in (one.replace('"', '""') for one in new)),
            staff=context.staff,
            now=context.now,
            wall=context.wall,
        )
    return True


def _load_switches(part: CouponPart, coupon: Coupon, path: Path, context: Context) -> bool:
    changed = False
    fresh: Coupon = Coupon.get_by_id(coupon.id)
    try:
        if part.claim_link is not None and part.claim_link != bool(fresh.claim_token):
            actions.set_claim_link(
                coupon.id, on=part.claim_link, staff=context.staff, wall=context.wall
            )
            changed = True
        if part.archived is not None and part.archived != (fresh.archived_at is not None):
            if part.archived:
                actions.archive(coupon.id, staff=context.staff, now=context.now, wall=context.wall)
            else:
                actions.unarchive(coupon.id, staff=context.staff, wall=context.wall)
            changed = True
    except DomainError as error:
        raise context.refuse(path, str(error)) from None
    return changed
