"""How a friend is drawn: face, name, status, tags. Used by the list and by her page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import g
from markupsafe import Markup

from lineadmin import i18n
from lineadmin.friends import queries
from lineadmin.friends.models import BLOCKED, FRIEND, UNKNOWN, Friend, Source, Tag
from lineadmin.i18n import _

STATUS_KINDS = {FRIEND: "ok", BLOCKED: "bad", UNKNOWN: "quiet"}


def name_of(friend: Friend) -> str:
    """Her display name, or that nobody knows it yet."""
    return friend.display_name or _("No name yet")


def face(friend: Friend, css: str = "") -> Markup:
    """Her picture; the first letter of her name shows while or where there is none."""
    picture = Markup("")
    if friend.picture_url.startswith("https://"):
        picture = Markup(
            '<img src="{}" alt="" loading="lazy" referrerpolicy="no-referrer">'
        ).format(friend.picture_url)
    letter = friend.display_name[:1] or "？"
    return Markup('<span class="face {}" aria-hidden="true">{}{}</span>').format(
        css, letter, picture
    )


def status_badge(friend: Friend) -> Markup:
    """Friend, blocked or not heard of yet; and whether she wants no notifications."""
    badge = Markup('<span class="badge {}">{}</span>').format(
        STATUS_KINDS.get(friend.status, "quiet"), queries.STATUSES.get(friend.status, friend.status)
    )
    if friend.opted_out_at is not None:
        badge += Markup(' <span class="badge warn">{}</span>').format(_("no notifications"))
    return badge


def chips(tags: Iterable[Tag]) -> Markup:
    """Tags with their colours."""
    drawn = Markup("").join(
        Markup('<span class="chip"><i style="background:{}"></i>{}</span>').format(
            tag.color, tag.name
        )
        for tag in tags
    )
    return Markup('<span class="chips">{}</span>').format(drawn) if drawn else drawn


def name_cell(view: Any, context: Any, row: Friend, name: str) -> Markup:
    """First column of the list."""
    css = "" if row.display_name else "hint"
    return Markup('<span class="who" data-raw>{}<span class="{}">{}</span></span>').format(
        face(row), css, name_of(row)
    )


def status_cell(view: Any, context: Any, row: Friend, name: str) -> Markup:
    """Status badges of the list."""
    return status_badge(row)


def tags_cell(view: Any, context: Any, row: Friend, name: str) -> Markup:
    """Tags of the list, asked for once for the whole page."""
    if "friend_tags" not in g:
        g.friend_tags = queries.tags_of([friend.id for friend in context["data"]])
    return chips(g.friend_tags.get(row.id, ()))


def day_cell(view: Any, context: Any, row: Friend, name: str) -> Markup | str:
    """A date on one line; its time in the tooltip."""
    moment = getattr(row, name)
    if moment is None:
        return ""
    return Markup('<span class="nowrap" title="{}">{}</span>').format(
        i18n.format_datetime(moment), i18n.format_date(moment)
    )


def source_cell(view: Any, context: Any, row: Friend, name: str) -> Markup | str:
    """The name of her source, asked for once for the whole page."""
    if row.source_id is None:
        return ""
    if "source_names" not in g:
        ids = {friend.source_id for friend in context["data"] if friend.source_id}
        g.source_names = {
            source.id: source.name for source in Source.select().where(Source.id.in_(list(ids)))
        }
    return Markup("<span data-raw>{}</span>").format(g.source_names.get(row.source_id, ""))
