"""A demo world that is there again after a restart."""

from uuid import uuid4

from lineadmin.simulator.server import Simulator
from tests.simulator.conftest import SECRET, TOKEN, Sender


def open_world(path, panel):
    return Simulator(
        webhook_url=panel.url, channel_secret=SECRET, access_token=TOKEN, data=str(path)
    )


def test_everything_is_still_there(tmp_path, panel):
    path, key = tmp_path / "world.db", str(uuid4())
    with open_world(path, panel) as sim:
        line, world = Sender(sim.base_url), sim.client
        hana = world.add_phone("花", pinned=True)["user_id"]
        line.push(hana, "推", key)
        line.multicast([hana], "眾")
        picture = world.image(hana, b"\x00\xffdata", wait_ms=30_000)["event"]["message"]["id"]
        token = world.text(hana, "菜單", wait_ms=30_000)["event"]["replyToken"]
        world.quota(100)
        world.settings(verified=True, limits={"loading": [1, 5]}, clock_offset_ms=5)
        line.push(hana, "別的", key)
        before, chat = world.state(), world.chat(hana)

    with open_world(path, panel) as sim:
        line, world = Sender(sim.base_url), sim.client
        after = world.state()
        for name in ("account", "phones", "used", "limits", "counters"):
            assert after[name] == before[name]
        assert world.chat(hana) == chat
        assert [abuse["kind"] for abuse in world.abuse()] == ["retry_key_other_body"]
        assert line.push(hana, "推", key).status == 409
        assert line.reply(token, "便當").status == 200
        assert line.get(f"/v2/bot/message/{picture}/content").body == b"\x00\xffdata"
        line.push(hana, "新")
        ids = [bubble["message_id"] for bubble in world.chat(hana)]
        assert len(set(ids)) == len(ids)
        seqs = [bubble["seq"] for bubble in world.chat(hana)]
        assert seqs == sorted(seqs)
        world.reset()

    with open_world(path, panel) as sim:
        assert sim.client.phones() == []


def test_a_world_can_stop_and_start_on_its_port(panel):
    sim = open_world(":memory:", panel)
    sim.start()
    port, hana = sim.port, sim.client.add_phone("花")["user_id"]
    sim.stop()
    sim.start()
    assert sim.port == port
    assert sim.client.phone(hana)["name"] == "花"
    sim.stop()
