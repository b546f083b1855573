"""The screen LINE connection: what it finds, and the buttons to mend it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from lineadmin import clock
from lineadmin.checkup import look
from lineadmin.config import Config
from lineadmin.friends.models import Friend
from lineadmin.line.errors import LineAuthFailed
from lineadmin.line.gateway import Gateway
from lineadmin.outbox import pauses
from lineadmin.settings import heartbeat
from lineadmin.staff.models import Audit, LinkCode
from lineadmin.tasks import chores
from tests.factories import make_friend
from tests.panel import flashes_of, panel_of

WEBHOOK = "https://shop.example/webhook"


@pytest.fixture
def well(line: Any, app: Flask) -> Any:
    """A shop whose worker is alive and whose webhook LINE can reach."""
    heartbeat.beat("worker", wall=clock.wall())
    return line


def codes() -> dict[str, str]:
    """The kind of every finding that was kept."""
    return {finding.code: finding.kind for finding in look.kept()}


def test_the_owner_connects_step_by_step(well: Any, app: Flask) -> None:
    owner = panel_of(app, "owner")
    before = owner.get("/admin/connection/")
    assert before.status_code == 200
    assert "還沒有檢查過" in before.text

    owner.post("/admin/connection/check")
    assert codes()["account"] == "ok"
    assert codes().get("webhook_unset") == "bad"
    assert "LINE 還不知道要把事件傳到哪裡" in owner.get("/admin/connection/").text

    done = owner.post("/admin/connection/webhook", follow_redirects=True)
    assert flashes_of(done.text)
    assert well.world.account.endpoint == WEBHOOK
    line = Audit.get(Audit.action == "line.webhook")
    assert (line.before["value"], line.after["value"]) == ("", WEBHOOK)
    assert "webhook_unset" not in codes()


def test_a_wrong_address_at_line_is_told(well: Any, app: Flask, line_config: Config) -> None:
    gateway = Gateway(line_config)
    gateway.set_webhook_endpoint("https://elsewhere.example/webhook")
    gateway.close()
    panel_of(app).post("/admin/connection/check")
    assert codes()["webhook_elsewhere"] == "bad"
    assert "https://elsewhere.example/webhook" in panel_of(app).get("/admin/connection/").text


def test_a_token_line_accepts_again_ends_the_pause(well: Any, app: Flask) -> None:
    owner = panel_of(app)
    pauses.pause_for_line(LineAuthFailed(401), wall=clock.wall())
    well.client.fail("401", endpoint="bot_info", times=1)
    owner.post("/admin/connection/check")
    assert codes()["line_error"] == "bad"
    assert pauses.current().line_since is not None
    owner.post("/admin/connection/check")
    assert pauses.current().line_since is None
    assert Audit.select().where(Audit.action == "line.resume").count() == 1
    assert "line_paused" not in codes()


def test_line_being_down_is_a_sentence(app: Flask) -> None:
    """No `line` here: nobody listens at LINE_API_BASE."""
    owner = panel_of(app)
    owner.post("/admin/connection/check")
    page = owner.get("/admin/connection/").text
    assert "連不上 LINE" in page
    assert "Traceback" not in page
    refused = owner.post("/admin/connection/webhook", follow_redirects=True)
    assert "連不上 LINE" in refused.text


def test_ones_own_line_is_bound_by_a_code(well: Any, app: Flask) -> None:
    manager = panel_of(app, "manager")
    manager.post("/admin/connection/code")
    code = LinkCode.get().code
    page = manager.get("/admin/connection/").text
    assert f"{code[:3]} {code[3:]}" in page
    from lineadmin.staff import linking

    linking.claim_code(code, make_friend("花子").id, wall=clock.wall())
    assert "花子" in manager.get("/admin/connection/").text
    manager.post("/admin/connection/unlink")
    assert "花子" not in manager.get("/admin/connection/").text


@pytest.mark.parametrize("verified", [True, False])
def test_all_friends_are_asked_for(
    well: Any, app: Flask, line_config: Config, verified: bool
) -> None:
    manager = panel_of(app, "manager")
    well.client.settings(verified=verified)
    well.client.add_phones(3)
    manager.post("/admin/connection/followers")
    assert "正在向 LINE 取得名單" in manager.get("/admin/connection/").text
    gateway = Gateway(line_config)
    chores.run_due(gateway, clock.now(), clock.wall())
    gateway.close()
    page = manager.get("/admin/connection/").text
    assert ("LINE 列出 3 位好友，其中 3 位是新的" in page) == verified
    assert ("只提供名單給認證帳號和企業帳號" in page) != verified
    assert Friend.select().count() == (3 if verified else 0)


@pytest.mark.parametrize(
    ("role", "reads", "owns"),
    [("viewer", False, False), ("staff", False, False), ("manager", True, False)],
)
def test_only_owners_change_the_connection(
    well: Any, app: Flask, role: str, reads: bool, owns: bool
) -> None:
    person = panel_of(app, role)
    assert (person.get("/admin/connection/").status_code == 200) == reads
    for route in ("check", "webhook"):
        assert (person.post(f"/admin/connection/{route}").status_code != 403) == owns
    assert look.kept() == []
    for route in ("code", "followers", "unlink"):
        assert (person.post(f"/admin/connection/{route}").status_code != 403) == reads
