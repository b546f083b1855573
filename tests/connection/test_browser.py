"""The screen in Chromium: zh-TW, wide and narrow, by clicks."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from lineadmin import clock
from lineadmin.settings import heartbeat
from tests.browse import (
    NARROW,
    WIDE,
    english_on,
    serious_violations,
    sideways_overflow,
    sign_in,
)
from tests.panel import PASSWORD, with_password

pytestmark = pytest.mark.browser


def test_the_owner_connects_by_clicks(page: Any, live: str, app: Flask, line: Any) -> None:
    heartbeat.beat("worker", wall=clock.wall())
    line.set_webhook_url(f"{live}/webhook")
    owner = with_password("owner")
    sign_in(page, live, owner.email, PASSWORD)
    page.goto(f"{live}/admin/connection/")
    page.get_by_role("button", name="設定 webhook 網址").click()
    page.get_by_text("LINE 現在會把事件傳到這裡。").wait_for()
    page.get_by_role("button", name="顯示代碼").click()
    page.locator(".link-code").wait_for()
    page.get_by_role("link", name="LINE 已連線").first.wait_for()
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        assert english_on(page) == []
        assert serious_violations(page) == []
        assert sideways_overflow(page) <= 0
