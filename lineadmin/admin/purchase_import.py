"""Purchases from a till's file: the same pages by which friends come in."""

from __future__ import annotations

from typing import IO, Any

from lineadmin import clock
from lineadmin.admin.friend_import import Column, FriendImport
from lineadmin.i18n import _, _l
from lineadmin.purchases import csv_columns, csv_import, known_by

_WORDS: dict[str, tuple[Any, Any]] = {
    "receipt_no": (_l("Receipt number"), _l("Needed. The same number is the same purchase")),
    "at": (_l("Bought at"), _l("Needed. 2026-11-23, 2026/11/23 18:30 or 115/11/23")),
    "line_user_id": (_l("LINE user ID"), _l("Tells the friend, or a field of the shop’s own does")),
    "amount": (_l("Amount"), _l("Of the whole receipt; empty: the sum of its items")),
    "channel": (_l("Channel"), _l("Counter, online shop, telephone …")),
    "branch": (_l("Store"), _l("Where it was bought")),
    "status": (_l("Status"), _l("Of an order; empty: done")),
    "item": (_l("Item"), _l("What was bought; one row for each item of a receipt")),
    "category": (_l("Category of goods"), _l("New ones are made")),
    "quantity": (_l("Quantity"), _l("Empty: 1")),
    "item_amount": (_l("Amount of the item"), _l("Of this row, in whole dollars")),
    "note": (_l("Note"), _l("For staff only")),
}


class PurchaseImport(FriendImport):
    """The import's pages of the purchases screen."""

    import_kind = csv_import.PURCHASES
    import_form_page = "admin/purchase_import.html"
    import_result_page = "admin/purchase_import_result.html"

    def import_columns(self) -> list[Column]:
        fixed = [Column(key, *_WORDS[key]) for key in csv_columns.COLUMNS]
        own = [
            Column(
                f"{csv_columns.OWN}{field.key}",
                field.name,
                _("Tells the friend by her “%(field)s”", field=field.name),
            )
            for field in csv_columns.own_fields()
        ]
        members = [
            Column(key, _("Member number"), _("Of a member who is bound to a friend"))
            for key in known_by.columns()
        ]
        return [*fixed, *members, *own]

    def import_example(self) -> list[str]:
        example = {
            "receipt_no": "AB-12345678",
            "at": "2026-11-23 12:30",
            "line_user_id": "U" + "0" * 32,
            "amount": "240",
            "item": "雙拼便當",
            "category": "便當",
            "quantity": "2",
            "item_amount": "240",
        }
        return [example.get(key, "") for key in csv_columns.COLUMNS]

    def guess_columns(self, header: list[str]) -> list[str]:
        return csv_columns.guess(header)

    def preview_file(self, file: IO[bytes], columns: list[str]) -> Any:
        return csv_import.preview_csv(file, now=clock.now(), columns=columns)
