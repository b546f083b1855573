"""What ends a sequence early for a friend, in words and as choices."""

from __future__ import annotations

from typing import Any

from lineadmin import segments
from lineadmin.i18n import _
from lineadmin.purchases.models import PurchaseCategory
from lineadmin.sequences.definition import ANY, Definition


def stop_sentence(definition: Definition) -> str:
    """Whom the sequence stops for; "" where for nobody."""
    told = [] if definition.stop is None else [segments.sentence(definition.stop)]
    if definition.stop_bought is not None:
        told.append(bought_sentence(definition.stop_bought))
    return _(" or ").join(told)


def bought_sentence(about: str) -> str:
    """ "bought since she started"."""
    if about == ANY:
        return _("bought something since she started")
    return _("bought “%(name)s” since she started", name=about)


def goods() -> list[tuple[str, Any]]:
    """Anything, or one category of goods, as choices."""
    rows = PurchaseCategory.select(PurchaseCategory.name).order_by(PurchaseCategory.name)
    return [(ANY, _("anything at all")), *((row.name, row.name) for row in rows)]


def nothing_or_goods() -> list[tuple[str, Any]]:
    """The same, where buying may also mean nothing."""
    return [("", _("nothing: buying ends nothing")), *goods()]


def keep_choice(field: Any) -> None:
    """Show what is stored though it is no choice any more."""
    if field.data and field.data not in {option[0] for option in field.iter_choices()}:
        field.choices = [*field.choices, (field.data, field.data)]
