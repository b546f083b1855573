"""Every screen of the demo shop that a click can reach, in zh-TW, wide and on a phone."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from tests.browse import (
    NARROW,
    WIDE,
    english_on,
    serious_violations,
    sideways_overflow,
    sign_in,
)
from tests.cli.processes import wait_for
from tests.conftest import PATIENCE
from tests.served import serve

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.looks]

MOST_SCREENS = 150  # a link that leads to ever new ones would never end
# Pages that end the session, or answer with a file.
DRAWN = "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
LEFT_OUT = re.compile(r"sign-out|/export|\.csv|template|/media/|/static/")


@pytest.fixture(scope="module")
def shop(tmp_path_factory, migrated_database):
    from tests.conftest import empty_database

    folder = tmp_path_factory.mktemp("screens")
    with serve(folder, empty_database(migrated_database, folder)) as served:
        yield served


def test_every_screen_speaks_chinese_fits_and_is_accessible(shop, page):
    sign_in(page, shop.address, shop.email, shop.password)
    _live_a_little(shop, page)
    waiting = ["/admin/", "/simulator/"]
    seen: set[str] = set()
    wrong: list[str] = []
    while waiting and len(seen) < MOST_SCREENS:
        path = waiting.pop(0)
        pattern = _pattern(path)
        if pattern in seen:
            continue
        seen.add(pattern)
        page.set_viewport_size(WIDE)
        answer = page.goto(shop.address + path)
        page.wait_for_timeout(150)
        if answer.status != 200:
            wrong.append(f"{path}: answered {answer.status}")
            continue
        wrong += [f"{path}: English: {text!r}" for text in english_on(page)]
        wrong += [f"{path}: {violation}" for violation in serious_violations(page)]
        waiting += _links(page)
        page.set_viewport_size(NARROW)
        page.evaluate(DRAWN)
        if sideways_overflow(page) > 0:
            wrong.append(f"{path}: {sideways_overflow(page)} px too wide on a phone")
    assert 20 < len(seen) < MOST_SCREENS, seen
    assert not wrong, "\n".join(wrong)


def _live_a_little(shop, page):
    """Friends, a message nobody answered, a coupon and an order, so that screens have something to
    show."""
    page.goto(f"{shop.address}/simulator/")
    page.get_by_role("article", name="小明").wait_for()
    people = shop.line.phones(pinned=1)
    for person in people[:3]:
        shop.line.follow(person["user_id"], wait_ms=30_000)
    shop.line.text(people[0]["user_id"], "請問今天有開嗎？", wait_ms=30_000)
    shop.line.block(people[2]["user_id"], wait_ms=30_000)

    def is_known():
        page.goto(f"{shop.address}/admin/purchases/new/?q=小明")
        return page.locator(".found a").count() > 0

    assert wait_for(is_known, PATIENCE), "the worker made no friend of who followed"
    page.locator(".found a").first.click()
    page.get_by_label("金額（NT$）").first.fill("120")
    page.get_by_label("狀態").select_option("preparing")
    page.get_by_role("button", name="登錄", exact=True).click()
    page.get_by_text("已登錄").wait_for()


def _links(page) -> list[str]:
    found = page.evaluate("() => [...document.querySelectorAll('a[href]')].map(a => a.href)")
    paths = []
    for link in found:
        parts = urlsplit(link)
        if parts.hostname != "127.0.0.1" or not parts.path.startswith(("/admin/", "/simulator/")):
            continue
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if not LEFT_OUT.search(path):
            paths.append(path)
    return paths


def _pattern(path: str) -> str:
    """Pages that differ only in a number or a filter's value are one screen."""
    bare, _question, query = path.partition("?")
    names = sorted(part.split("=")[0] for part in query.split("&") if part)
    names = [name for name in names if name not in ("sort", "desc", "after", "before", "url")]
    return re.sub(r"\d+", "N", bare) + ("?" + "&".join(names) if names else "")
