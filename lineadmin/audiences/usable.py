"""Which of LINE's audiences can be used in a narrowcast, and why another one cannot."""

from __future__ import annotations

from lineadmin.audiences.actions import THERE
from lineadmin.audiences.models import LineAudience
from lineadmin.errors import DomainError
from lineadmin.i18n import _

READY = "READY"
FEWEST = 50
NO_MINIMUM = ("UPLOAD", "CHAT_TAG")  # made of people the shop named itself


def choices() -> list[LineAudience]:
    """What can be chosen: everything LINE has, ready or not, but those we make for one use."""
    rows = LineAudience.select().where(
        LineAudience.line_id.is_null(False), LineAudience.purpose == ""
    )
    return list(rows.order_by(LineAudience.name, LineAudience.id))


def usable(name: str) -> int:
    """LINE's id of the audience of this name.

    :raises DomainError: there is none, or LINE could not use it now
    """
    rows = LineAudience.select().where(
        LineAudience.name == name, LineAudience.line_id.is_null(False), LineAudience.purpose == ""
    )
    row: LineAudience | None = rows.order_by(LineAudience.id.desc()).first()
    if row is None or row.line_id is None:
        raise DomainError(_("There is no LINE audience “%(name)s”.", name=name), field="estimated")
    if row.status != READY or row.state != THERE:
        raise DomainError(
            _("LINE cannot use the audience “%(name)s” yet, or any more.", name=name),
            field="estimated",
        )
    if is_too_small(row):
        raise DomainError(
            _(
                "The LINE audience “%(name)s” has fewer than %(least)s people: LINE would send to "
                "nobody.",
                name=name,
                least=FEWEST,
            ),
            field="estimated",
        )
    return int(row.line_id)


def exists(name: str) -> bool:
    """Whether there is one of this name, usable or not."""
    return any(row.name == name for row in choices())


def is_too_small(row: LineAudience) -> bool:
    """Whether LINE would send to nobody because of it. LINE tells 0 of fewer than 20."""
    return row.kind not in NO_MINIMUM and row.members is not None and row.members < FEWEST
