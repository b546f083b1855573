"""What the columns of a file hold: guessed from their heads, then chosen by staff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lineadmin.errors import DomainError
from lineadmin.friends.csv_form import HOME_BRANCH, KEY_COLUMN, check_header
from lineadmin.friends.models import Field
from lineadmin.i18n import _l

LEFT_OUT = ""

# Heads as other programs and people write them, in small letters and without blanks.
_OTHER_NAMES = {
    "line_user_id": (
        *("userid", "user_id", "lineid", "line_id", "lineuserid", "uid", "line使用者id"),
        *("使用者id", "好友id", "ユーザーid", "lineユーザーid"),
    ),
    "display_name": (
        *("name", "displayname", "姓名", "名字", "名稱", "顯示名稱", "暱稱", "好友名稱"),
        *("名前", "氏名", "表示名"),
    ),
    "source": ("來源", "加入管道", "加入來源", "流入経路"),
    "gender": ("sex", "性別"),
    "birth_year": ("birthyear", "yearofbirth", "出生年", "出生年份", "生年"),
    "region": ("area", "地區", "縣市", "居住地", "地域"),
    "os": ("作業系統", "手機系統", "system"),
    "tags": ("tag", "標籤", "タグ"),
    HOME_BRANCH: ("homebranch", "branch", "所屬門市", "門市", "分店", "店舗", "所属店舗"),
}


def guess(header: Sequence[str], fields: Iterable[Field]) -> list[str]:
    """For each column of the file what it most likely holds; LEFT_OUT where nothing fits."""
    known = {name: key for key, names in _OTHER_NAMES.items() for name in (key, *names)}
    for field in fields:
        known[_plain(field.name)] = field.key
        known[_plain(field.key)] = field.key
    guessed: list[str] = []
    for cell in header:
        key = known.get(_plain(cell), LEFT_OUT)
        guessed.append(LEFT_OUT if key in guessed else key)
    return guessed


def check_columns(columns: Sequence[str], own_keys: Sequence[str]) -> list[str]:
    """The choice for each column, checked.

    :raises DomainError: no column holds the LINE user ID, or two hold the same
    """
    chosen = [column for column in columns if column != LEFT_OUT]
    if KEY_COLUMN not in chosen:
        raise DomainError(_l("Choose the column that holds the LINE user ID."), field=KEY_COLUMN)
    check_header(chosen, list(own_keys))
    return list(columns)


def _plain(head: str) -> str:
    return "".join(head.split()).casefold()
