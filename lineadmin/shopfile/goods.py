"""Categories of goods: conditions and step messages name them before anybody has bought any."""

from __future__ import annotations

from lineadmin.purchases.models import PurchaseCategory
from lineadmin.purchases.record import add_category
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.schema import CategoryPart


def load_categories(parts: list[CategoryPart], context: Context) -> None:
    """Make the categories that are not there yet."""
    for index, part in enumerate(parts):
        with context.at(("categories", index)):
            created = add_category(
                part.name, staff=context.staff, now=context.now, wall=context.wall
            )
        context.report.note("category", part.name, created=created, changed=False)


def dump_categories() -> list[dict[str, str]]:
    """Every category."""
    return [{"name": name} for name in sorted(row.name for row in PurchaseCategory.select())]
