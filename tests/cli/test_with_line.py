"""Commands in front of a LINE that answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lineadmin import clock
from lineadmin import db as database
from lineadmin.settings import heartbeat
from tests.cli.commands import Shell, shell
from tests.conftest import CHANNEL_SECRET, CHANNEL_TOKEN

SHOP = """
version: 1
shop: {undo_minutes: 5}
broadcasts:
  - {name: 週一雙拼, to: {all: []}, at: "2031-11-24T11:30:00+08:00", state: scheduled,
     messages: [{text: "{name}，今天雙拼"}]}
"""


@pytest.fixture
def with_line(line: Any, database_url: str, tmp_path: Path) -> Shell:
    """A terminal of a shop whose LINE is the pretend one."""
    return shell(
        tmp_path,
        database_url,
        LINE_API_BASE=line.base_url,
        LINE_DATA_API_BASE=line.base_url,
        LINE_CHANNEL_SECRET=CHANNEL_SECRET,
        LINE_CHANNEL_ACCESS_TOKEN=CHANNEL_TOKEN,
    )


def test_a_broadcast_out_of_a_file_reaches_the_phones_at_its_time(
    with_line: Shell, line: Any, tmp_path: Path
) -> None:
    users = [line.client.add_phone(name)["user_id"] for name in ("小明", "小華")]
    (tmp_path / "friends.csv").write_text(
        "line_user_id,display_name\n" + "".join(f"{user},朋友{user[-2:]}\n" for user in users)
    )
    (tmp_path / "shop.yaml").write_text(SHOP)
    assert with_line.flask("friends", "import", str(tmp_path / "friends.csv")).code == 0
    assert with_line.flask("shop", "load", str(tmp_path / "shop.yaml")).code == 0

    early = with_line.flask("tick", "--now", "2031-11-24T11:29:59+08:00")
    assert "sent 0" in early.out, early.words
    due = with_line.flask("tick", "--now", "2031-11-24T11:30:00+08:00")
    assert "sent 2" in due.out, due.words
    assert "waiting 0" in due.out
    for user in users:
        assert line.client.texts(user) == [f"朋友{user[-2:]}，今天雙拼"]
    again = with_line.flask("tick", "--now", "2031-11-24T11:31:00+08:00")
    assert "sent 0" in again.out
    assert "state: sent" in with_line.flask("shop", "dump").out
    assert line.client.abuse() == []


def test_a_healthy_shop_gets_a_clean_bill(with_line: Shell, line: Any, db: Any) -> None:
    assert with_line.flask("staff", "create", "mei@example.com").code == 0
    database.ensure_connection()
    heartbeat.beat("worker", wall=clock.wall())
    first = with_line.flask("doctor")
    assert first.code == 1
    assert "LINE does not know where to send events" in first.out

    line.world.account.endpoint = "https://shop.example/webhook"
    line.set_webhook_url("http://127.0.0.1:9/webhook")
    unreachable = with_line.flask("doctor")
    assert unreachable.code == 1
    assert "without success: COULD_NOT_CONNECT" in unreachable.out

    line.client.fail("401", endpoint="bot_info", times=1)
    refused = with_line.flask("doctor")
    assert "does not accept our channel access token" in refused.out
    assert refused.code == 1


def test_the_doctor_is_content_when_all_is_well(
    with_line: Shell, line: Any, live: str, app: Any
) -> None:
    assert with_line.flask("staff", "create", "mei@example.com").code == 0
    database.ensure_connection()
    heartbeat.beat("worker", wall=clock.wall())
    line.world.account.endpoint = "https://shop.example/webhook"
    line.set_webhook_url(f"{live}/webhook")
    done = with_line.flask("doctor")
    assert done.code == 0, done.words
    assert "LINE reaches us at https://shop.example/webhook" in done.out
    assert "BAD" not in done.out
