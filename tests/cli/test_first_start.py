"""The first start lets the owner in and, in simulator mode, opens the demo shop; once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import time_machine

from lineadmin import clock, settings, shopfile
from lineadmin.cli.first_start import first_start
from lineadmin.config import Config, load_config
from lineadmin.errors import ConfigError
from lineadmin.replies.models import ReplyRule
from lineadmin.staff import passwords
from lineadmin.staff.models import Staff
from tests.conftest import make_config
from tests.factories import make_friend


@pytest.fixture
def demo(db: Any, database_url: str, tmp_path: Path) -> Config:
    return load_config(
        {"SIMULATOR": "1", "DATABASE_URL": database_url, "VAR_DIR": str(tmp_path), "PORT": "18499"}
    )


def test_the_demo_is_a_whole_shop_with_an_owner(demo: Config) -> None:
    first_start(demo)
    owner = Staff.get()
    assert (owner.email, owner.role, owner.name) == ("owner@example.com", "owner", "店長")
    assert demo.owner_password
    assert passwords.is_right(owner.password_hash, demo.owner_password)
    shop = settings.shop()
    assert (shop.name, shop.quiet_from, shop.quiet_until) == ("熊大便當", "21:00", "09:00")
    data = shopfile.as_data()
    assert {coupon["code"] for coupon in data["coupons"]} == {"welcome", "bento20"}
    assert {"coupon": "welcome"} in data["greeting"]["messages"]
    enabled = [row for row in data["sequences"] if row["enabled"]]
    assert [row["name"] for row in enabled] == ["新好友四週養成"]
    first_step = enabled[0]["branches"][0]["steps"][0]
    assert (first_step["after_days"], first_step["at"]) == (1, "10:00")
    assert [row["state"] for row in data["broadcasts"]] == ["draft"]


@pytest.mark.parametrize(
    ("started", "begins"),
    [
        ("2026-11-24T07:30:00+08:00", "2026-11-24 11:00"),
        ("2026-11-24T14:20:00+08:00", "2026-11-24 14:20"),
        ("2026-11-24T23:05:00+08:00", "2026-11-25 11:00"),
    ],
)
def test_a_demo_begins_in_business_hours_whenever_it_is_started(
    demo: Config, started: str, begins: str
) -> None:
    with time_machine.travel(started, tick=False):
        first_start(demo)
        here = clock.now().astimezone(settings.shop_zone())
        assert f"{here:%Y-%m-%d %H:%M}" == begins
        first_start(demo)
        assert clock.now() == here


def test_what_staff_change_in_the_demo_stays(demo: Config) -> None:
    first_start(demo)
    ReplyRule.delete().execute()
    Staff.update(name="小美").execute()
    first_start(demo)
    assert ReplyRule.select().count() == 0
    assert Staff.get().name == "小美"


def test_a_database_with_friends_is_no_place_for_the_demo(demo: Config) -> None:
    make_friend()
    first_start(demo)
    assert settings.shop().name == ""


def test_a_real_shop_gets_its_owner_once_and_no_demo(
    db: Any, database_url: str, tmp_path: Path
) -> None:
    def start(email: str, password: str) -> None:
        more = {"OWNER_EMAIL": email, "OWNER_PASSWORD": password}
        first_start(make_config(database_url, tmp_path, **more))

    for email, password, named in (
        ("mei@example.com", "short", "OWNER_PASSWORD: .*10"),
        (f"{'m' * 250}@example.com", "three words together", "OWNER_EMAIL"),
    ):
        with pytest.raises(ConfigError, match=named):
            start(email, password)
        assert not Staff.select().exists()
    start("Mei@example.com", "three words together")
    start("other@example.com", "three other words")
    assert [staff.email for staff in Staff.select()] == ["mei@example.com"]
    assert settings.shop().name == ""
    assert ReplyRule.select().count() == 0
