"""What friends type compares equal whatever width and case they type it in."""

import pytest

from lineadmin.friends.words import fold, is_opt_in, is_opt_out


@pytest.mark.parametrize(
    "written", ["menu", " MENU ", "ＭＥＮＵ", "Menu\n", "ｍｅｎｕ", "me\u200bnu"]
)
def test_width_case_and_spaces_do_not_matter(written):
    assert fold(written) == "menu"


def test_inner_spaces_count_as_one():
    assert fold("今日　 菜單") == "今日 菜單"


@pytest.mark.parametrize(
    "written", ["不再通知", "停止", "取消訂閱", "STOP", "ｓｔｏｐ", "Unsubscribe "]
)
def test_words_that_stop_notifications(written):
    assert is_opt_out(written)


@pytest.mark.parametrize("written", ["停止線在哪裡", "don't stop", "", "通知"])
def test_words_that_do_not(written):
    assert not is_opt_out(written)


def test_the_word_back():
    assert is_opt_in("恢復通知")
    assert not is_opt_in("停止")
