"""Codes and links as people type and scan them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineadmin.coupons import codes


def test_codes_and_tokens_are_long_enough_to_be_unguessable():
    many = {codes.new_code() for _ in range(5000)}
    assert len(many) == 5000
    assert all(len(code) == 12 and set(code) <= set(codes.ALPHABET) for code in many)
    assert len(codes.ALPHABET) ** 12 == 2**60
    assert set().union(*many) == set(codes.ALPHABET)
    assert len(codes.new_token()) == 22


@pytest.mark.parametrize(
    "typed",
    [
        "ABCD-EF12-3450",
        "abcd ef12 3450",
        "ABCDEF123450",
        "ＡＢＣＤ－ＥＦ１２－３４５０",
        "abcd‐ef12—345O",
        "ABCDーEFI2ー34５o",
        "  abcd_ef.l2/3450\n",
    ],
)
def test_a_code_is_read_however_it_is_typed(typed):
    assert codes.parse_code(typed) == "ABCDEF123450"


@pytest.mark.parametrize(
    "typed",
    ["", "ABCD-EF12-345", "ABCD-EF12-34500", "ABCD-EF12-345U", "雙拼便當八折券很好吃喔", "💥" * 12],
)
def test_what_cannot_be_a_code_is_none(typed):
    assert codes.parse_code(typed) is None


@given(st.text())
def test_any_text_is_read_without_an_error(text):
    entry = codes.read_entry(text)
    assert entry.code is None or len(entry.code) == 12


@given(
    st.integers(0, 2**60 - 1).map(
        lambda n: "".join(codes.ALPHABET[n >> 5 * place & 31] for place in range(12))
    )
)
def test_what_is_shown_is_read_back(code):
    assert codes.parse_code(codes.shown(code).lower()) == code


TOKEN = "AbCdEfGhIjKlMnOpQr_-12"


@pytest.mark.parametrize(
    ("scanned", "token", "foreign"),
    [
        (f"https://shop.example/c/{TOKEN}", TOKEN, False),
        (f"https://shop.example/c/{TOKEN}?lang=en#x", TOKEN, False),
        (f"http://127.0.0.1:8000/c/{TOKEN}/", TOKEN, False),
        (TOKEN, TOKEN, False),
        ("https://shop.example/", None, True),
        ("https://shop.example/c/short", None, True),
        ("https://liff.line.me/123", None, True),
        ("http://[bad", None, True),
    ],
)
def test_a_scanned_link_gives_its_token(scanned, token, foreign):
    entry = codes.read_entry(scanned)
    assert (entry.token, entry.foreign, entry.code) == (token, foreign, None)
