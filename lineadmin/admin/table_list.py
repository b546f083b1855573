"""The list of a table: query, search, filters, order, pages, and the same rows as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import abort, request
from flask_admin import expose
from flask_admin.model.template import BaseListRowAction
from peewee import Field, ForeignKeyField, Load, ModelSelect
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.admin import export, listing
from lineadmin.admin.gate import current_staff
from lineadmin.admin.table import Table
from lineadmin.i18n import _n
from lineadmin.staff import audit


class TableList(Table):
    """Pages by key, exact counts up to 10,000, filters as plain selects."""

    column_sortable_list: Sequence[str] = ()  # only columns that an index serves
    default_sort: tuple[str, bool] = ("id", True)  # column, descending
    toolbar_filters: Sequence[listing.AnyFilter] = ()
    page_size = 50
    list_hint: Any = ""
    search_columns: Sequence[Field] = ()  # "contains" search; override apply_search for more
    number_columns: Sequence[str] = ()  # right-aligned
    list_template = "admin/model/list.html"
    column_extra_row_actions: Any
    get_actions_list: Any
    get_list_value: Any
    get_export_value: Any

    def get_query(self) -> ModelSelect:
        """Every row this screen may show; foreign keys in the columns come with their rows."""
        shown = {name for name, _label in self._list_columns}
        keys = [
            column
            for column in self.model._meta.sorted_fields
            if isinstance(column, ForeignKeyField) and column.name in shown
        ]
        query = self.model.select()
        return query.with_related(*[Load(key) for key in keys]) if keys else query

    def apply_search(self, query: ModelSelect, text: str) -> ModelSelect:
        """The query narrowed to what was typed: every word in one of `search_columns`."""
        for word in text.split():
            found = None
            for column in self.search_columns:
                clause = column.contains(word)
                found = clause if found is None else found | clause
            if found is not None:
                query = query.where(found)
        return query

    def count(self, query: ModelSelect) -> int:
        """How many rows, exact up to 10,000."""
        return listing.bounded_count(query)

    def narrowed_query(self) -> tuple[ModelSelect, str, dict[str, str]]:
        """The rows this address asks for, its search text and its filters."""
        search = request.args.get("search", "").strip()[:200]
        chosen = listing.chosen_filters(self.toolbar_filters, request.args)
        query = self.get_query()
        if search:
            query = self.apply_search(query, search)
        for one in self.toolbar_filters:
            if one.name in chosen:
                query = one.narrow(query, chosen[one.name])
        return query, search, chosen

    def order(self) -> listing.Keyset:
        """The order this address asks for."""
        name, descending = self.default_sort
        wanted = request.args.get("sort", "")
        if wanted in self._sortable_columns:
            name, descending = wanted, request.args.get("desc") == "1"
        fields = self.model._meta.fields
        return listing.Keyset(fields[name], self.model._meta.primary_key, descending)

    @expose("/")
    def index_view(self) -> str:
        """The list."""
        query, search, chosen = self.narrowed_query()
        order = self.order()
        after, before = request.args.get("after"), request.args.get("before")
        rows, previous, following = order.page(query, self.page_size, after=after, before=before)
        total = self.count(query)
        state = {**({"search": search} if search else {}), **chosen}
        kept = {}
        if request.args.get("sort") in self._sortable_columns:
            kept = {"sort": request.args["sort"]}
            if request.args.get("desc") == "1":
                kept["desc"] = "1"
        page = listing.Page(
            rows=rows,
            previous=self._list_address(state, kept, before=previous) if previous else None,
            next=self._list_address(state, kept, after=following) if following else None,
            first=self._list_address(state, kept) if after or before else None,
            shown=_n("%(count)s on this page", "%(count)s on this page", len(rows)),
        )
        actions, confirmations = self.get_actions_list()
        return self.render(
            self.list_template,
            data=rows,
            listing=listing.Listing(
                page=page,
                columns=self._columns(order, state),
                total_label=listing.count_label(total),
                searchable=bool(self.search_columns),
                search=search,
                filters=listing.drawn_filters(self.toolbar_filters, chosen),
                filtered=bool(state),
                clear_url=self._list_address({}, kept),
                export_url=self.get_url(".export", export_type="csv", **state, **kept)
                if self.exportable
                else "",
                kept=kept,
            ),
            total=total,
            get_pk_value=self.get_pk_value,
            get_value=self.get_list_value,
            list_row_actions=self.get_list_row_actions(),
            actions=actions,
            actions_confirmation={},
            return_url=request.full_path.rstrip("?"),
            confirmations=confirmations,
        )

    def get_list_row_actions(self) -> list[BaseListRowAction]:
        """Buttons at the end of a row: only the extra ones, the first column leads to the row."""
        return list(self.column_extra_row_actions or [])

    def _list_address(
        self, state: Mapping[str, str], kept: Mapping[str, str], **cursor: str
    ) -> str:
        query = urlencode({**state, **kept, **cursor})
        address = self.get_url(".index_view")
        return f"{address}?{query}" if query else address

    def _columns(self, order: listing.Keyset, state: Mapping[str, str]) -> list[listing.Column]:
        columns = []
        for name, label in self._list_columns:
            is_order = order.column.name == name
            sort_url = None
            if name in self._sortable_columns:
                turned = {"desc": "1"} if is_order and not order.descending else {}
                sort_url = self._list_address(state, {"sort": name, **turned})
            direction = ("descending" if order.descending else "ascending") if is_order else ""
            columns.append(
                listing.Column(
                    name=name,
                    label=label,
                    sort_url=sort_url,
                    sorted=direction,
                    css="num r" if name in self.number_columns else "",
                )
            )
        return columns

    def export_row(self, record: Any) -> list[Any]:
        """The cells of a row, in the order of `column_export_list`."""
        return [self.get_export_value(record, name) for name, _label in self._export_columns]

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Response:
        """The list, with its filters, as a CSV file; leaves an audit line."""
        if not self.exportable or export_type != "csv":
            abort(404)
        query, search, chosen = self.narrowed_query()
        filters = {**({"search": search} if search else {}), **chosen}
        audit.record(
            current_staff(),
            f"{self.audit_kind}.export",
            self.audit_kind,
            0,
            str(self.name),
            None,
            {"filters": filters},
            wall=clock.wall(),
        )
        order = self.order()

        def rows() -> Iterator[list[Any]]:
            yield [str(label) for _name, label in self._export_columns]
            for record in order.walk(query):
                yield self.export_row(record)

        return export.csv_response(self.endpoint, rows())
