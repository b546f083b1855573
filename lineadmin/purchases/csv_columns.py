"""What the columns of a file of purchases hold: guessed from their heads, then chosen by staff."""

from __future__ import annotations

from collections.abc import Sequence

from lineadmin.errors import DomainError
from lineadmin.friends import fields
from lineadmin.friends.models import Field
from lineadmin.i18n import _, _l
from lineadmin.purchases import known_by

LEFT_OUT = ""
OWN = "field:"  # a friend found by a text of the shop's own: field:member_no

COLUMNS = (
    "receipt_no",
    "at",
    "line_user_id",
    "amount",
    "channel",
    "branch",
    "status",
    "item",
    "category",
    "quantity",
    "item_amount",
    "note",
)
_NEEDED = ("receipt_no", "at")

# Heads as tills and people write them, in small letters and without blanks.
_OTHER_NAMES = {
    "receipt_no": (
        *("receipt", "receiptno", "receiptnumber", "invoice", "orderno", "order", "ordernumber"),
        *("單號", "發票號碼", "發票", "訂單編號", "訂單號碼", "交易序號", "交易編號", "銷售單號"),
        *("伝票番号", "レシート番号", "注文番号"),
    ),
    "at": (
        *("date", "time", "datetime", "日期", "時間", "交易日期", "交易時間", "消費日期"),
        *("訂購日期", "結帳時間", "日時", "日付", "購入日"),
    ),
    "line_user_id": ("userid", "user_id", "lineid", "line_id", "lineuserid", "uid", "好友id"),
    "amount": (
        *("total", "totalamount", "金額", "總額", "總金額", "消費金額", "實收金額", "合計"),
        *("金額(税込)", "合計金額"),
    ),
    "channel": ("通路", "來源通路", "チャネル"),
    "branch": ("store", "shop", "門市", "分店", "店別", "店舗"),
    "member_no": (
        *("memberno", "membernumber", "member", "會員編號", "會員號碼", "會員卡號", "会員番号"),
    ),
    "status": ("state", "狀態", "訂單狀態", "状況"),
    "item": ("product", "productname", "name", "品名", "商品", "商品名稱", "品項", "商品名"),
    "category": ("類別", "分類", "商品類別", "商品分類", "カテゴリ"),
    "quantity": ("qty", "count", "數量", "数量"),
    "item_amount": ("itemamount", "subtotal", "小計", "單項金額"),
    "note": ("memo", "備註", "備考"),
}


def own_fields() -> list[Field]:
    """The shop's own texts, by which a till may know a friend: a member number, a telephone."""
    return [one for one in fields.all_fields() if one.type == fields.TEXT]


def tells_friend(column: str) -> bool:
    """Whether such a column says whose purchase it is."""
    return column == "line_user_id" or column in known_by.columns() or column.startswith(OWN)


def guess(header: Sequence[str]) -> list[str]:
    """For each column of the file what it most likely holds; LEFT_OUT where nothing fits."""
    known = {
        name: key
        for key, names in _OTHER_NAMES.items()
        if key in COLUMNS or key in known_by.columns()
        for name in (key, *names)
    }
    for field in own_fields():
        known[_plain(field.name)] = known[_plain(field.key)] = f"{OWN}{field.key}"
    guessed: list[str] = []
    for cell in header:
        key = known.get(_plain(cell), LEFT_OUT)
        guessed.append(LEFT_OUT if key in guessed else key)
    return guessed


def check_columns(columns: Sequence[str]) -> list[str]:
    """The choice for each column, checked.

    :raises DomainError: something needed is missing, or two columns hold the same
    """
    chosen = [column for column in columns if column != LEFT_OUT]
    known = {*COLUMNS, *known_by.columns(), *(f"{OWN}{field.key}" for field in own_fields())}
    for column in chosen:
        if column not in known:
            raise DomainError(_("A column cannot hold “%(column)s”.", column=column[:60]))
        if chosen.count(column) > 1:
            raise DomainError(
                _("The column “%(column)s” is there twice.", column=column), field=column
            )
    for column in _NEEDED:
        if column not in chosen:
            raise DomainError(
                _l("Choose the columns that hold the receipt number and the date."), field=column
            )
    if not any(tells_friend(column) for column in chosen):
        raise DomainError(
            _l("Choose the column that tells which friend it is."), field="line_user_id"
        )
    if "amount" not in chosen and "item_amount" not in chosen:
        raise DomainError(_l("Choose the column that holds the amount."), field="amount")
    return list(columns)


def _plain(head: str) -> str:
    return "".join(head.split()).casefold()
