"""What the screens promise a friend underway, kept: from her phone's webhook to her phone.

Friends follow, block and come back on their phones; staff act on the screens; the worker goes from
one planned moment to the next; what counts is what the phones show in the end.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from lineadmin.friends.models import Friend
from lineadmin.sequences import drafts
from lineadmin.sequences.models import Sequence
from tests.panel import Panel, panel_of
from tests.sequences.playing import play
from tests.sequences.stage import at, publish, run_of

MONDAY = at("2026-11-23")
ONCE = "每位好友只走一次；封鎖後再解除也不會重來。"
YOUNG = {"field": "age", "op": "less_than", "value": 25}


def says(text: str, after_days: int = 1) -> dict[str, Any]:
    """A step that says one thing."""
    return {"after_days": after_days, "at": "10:00", "messages": [{"text": text}]}


THREE = (says("一"), says("二"), says("三"))


class Shop:
    """The shop from both ends: phones in front, staff at the screens, and time between them."""

    def __init__(self, line: Any, panel: Panel, clock: Any) -> None:
        self.phones = line.client
        self.panel = panel
        self.clock = clock

    def joins(self, name: str = "小花") -> str:
        """Somebody adds the account now; her LINE user id."""
        user = str(self.phones.add_phone(name, status="stranger")["user_id"])
        self.does(user, "follow")
        return user

    def does(self, user: str, act: str) -> None:
        """She follows, blocks or unblocks, and her webhook is handled."""
        getattr(self.phones, act)(user)
        assert self.phones.wait_for_events()
        play(self.clock(), self.clock())

    def until(self, day: str) -> None:
        """The worker does what comes up to noon of that day of November."""
        moment: datetime = at(f"2026-11-{day}")
        play(self.clock(), moment)
        self.clock.set(moment)

    def got(self, user: str) -> list[str]:
        """What her phone shows of the shop, in order."""
        return list(self.phones.texts(user))

    def screen(self, row: Sequence, page: str = "") -> str:
        """One of the sequence's screens."""
        return str(self.panel.get(f"/admin/sequences/{row.id}/{page}").text)

    def presses(self, row: Sequence, button: str, **data: Any) -> str:
        """Staff press a button of the sequence; what is asked before they say yes."""
        address = f"/admin/sequences/{row.id}/{button}/"
        hold = {"version": Sequence.get_by_id(row.id).version, **data}
        question = str(self.panel.post(address, hold).text)
        assert self.panel.post(address, {**hold, "confirmed": "1"}).status_code == 302
        return question

    def edits(self, row: Sequence, *steps: dict[str, Any], **publishing: Any) -> str:
        """Staff write other steps and publish them; what the screen says before."""
        raw = {"trigger": {"follow": "any"}, "branches": [{"steps": list(steps)}]}
        drafts.save_draft(row.id, raw, version=None, staff=None, wall=self.clock())
        return self.presses(row, "publish", **publishing)


@pytest.fixture
def shop(app: Any, live: str, line: Any, clock: Any) -> Shop:
    """A shop whose LINE is the pretend one, both ways."""
    return Shop(line, panel_of(app, "manager"), clock)


def friend(user: str) -> Friend:
    return Friend.get(Friend.line_user_id == user)


def left(user: str) -> tuple[str, str]:
    """How her run stands, and why."""
    run = run_of(friend(user))
    return run.state, run.reason


def test_who_blocks_gets_no_more_of_it(shop: Shop) -> None:
    row = publish(*THREE, now=MONDAY)
    hana, taro = shop.joins(), shop.joins("太郎")
    shop.until("24")
    shop.does(hana, "block")
    shop.until("30")
    assert (shop.got(hana), shop.got(taro)) == (["一"], ["一", "二", "三"])
    assert left(hana) == ("stopped", "blocked")
    assert "封鎖" in shop.panel.get(f"/admin/friends/{friend(hana).id}/").text
    assert ONCE in shop.screen(row, "?at=trigger")


def test_who_unblocks_neither_goes_on_nor_starts_again(shop: Shop) -> None:
    row = publish(*THREE, now=MONDAY)
    hana = shop.joins()
    shop.until("24")
    shop.does(hana, "block")
    shop.clock.forward(hours=1)  # no step is due while she is away
    shop.does(hana, "unblock")
    assert friend(hana).status == "friend"
    shop.until("30")
    assert shop.got(hana) == ["一"]
    assert left(hana) == ("stopped", "blocked")
    assert ONCE in shop.screen(row, "?at=trigger")


def test_who_is_added_again_after_days_does_not_start_again(shop: Shop) -> None:
    row = publish(*THREE, now=MONDAY)
    hana = shop.joins()
    shop.until("24")
    shop.does(hana, "block")
    shop.until("27")
    shop.does(hana, "follow")
    shop.until("30")
    assert shop.got(hana) == ["一"]
    assert row.enrolments.count() == 1
    # And a second follow of somebody underway, as LINE may send it, changes nothing for her.
    taro = shop.joins("太郎")
    shop.does(taro, "follow")
    shop.clock.set(at("2026-12-05"))
    play(at("2026-11-30"), at("2026-12-05"))
    assert shop.got(taro) == ["一", "二", "三"]


@pytest.mark.parametrize(
    ("decide", "expected"), [("enrolment", ["大家"]), ("first_step", ["年輕"])]
)
def test_whose_age_becomes_known_midway(shop: Shop, decide: str, expected: list[str]) -> None:
    """The setting's two sentences: what is known when she starts, or when her first step is due."""
    branches = [
        {"name": "25 歲以下", "where": YOUNG, "steps": [says("年輕", 2)]},
        {"name": "其他好友", "otherwise": True, "steps": [says("大家", 2)]},
    ]
    row = publish(branches=branches, now=MONDAY, decide=decide)
    hana = shop.joins()
    shop.until("24")
    known = friend(hana)
    address = f"/admin/friends/{known.id}/edit/"
    answer = shop.panel.post(address, {"birth_year": "2005", "version": known.version})
    assert answer.status_code == 302
    assert friend(hana).birth_year == 2005
    shop.until("30")
    assert shop.got(hana) == expected
    sentence = {
        "enrolment": "開始時：以當時知道的好友資料為準",
        "first_step": "第一步要傳送時：到那時才知道的資料也算",
    }[decide]
    assert sentence in shop.screen(row, "?at=groups")


def test_whose_sequence_is_edited_finishes_on_the_version_she_started(shop: Shop) -> None:
    row = publish(*THREE, now=MONDAY)
    hana = shop.joins()
    shop.until("24")
    asked = shop.edits(row, says("新一"), says("新二"))
    assert "照原本的版本走完" in asked
    taro = shop.joins("太郎")
    shop.until("30")
    assert (shop.got(hana), shop.got(taro)) == (["一", "二", "三"], ["新一", "新二"])


def test_whose_sequence_is_edited_and_who_is_moved_gets_the_next_new_step(shop: Shop) -> None:
    row = publish(*THREE, now=MONDAY)
    hana = shop.joins()
    shop.until("24")
    shop.edits(row, says("新一"), says("新二"), underway="move")
    shop.until("30")
    assert shop.got(hana) == ["一", "新二"]
    assert left(hana) == ("finished", "")


@pytest.mark.parametrize(
    ("when_off", "says_so", "meanwhile", "in_the_end"),
    [
        ("pause", "暫停，直到再次啟用", ["一"], ["一", "三"]),
        ("finish", "走完剩下的步驟", ["一", "二", "三"], ["一", "二", "三"]),
        ("stop", "離開，不再傳送", ["一"], ["一"]),
    ],
)
def test_whose_sequence_is_switched_off(
    shop: Shop, when_off: str, says_so: str, meanwhile: list[str], in_the_end: list[str]
) -> None:
    steps = (says("一"), says("二"), says("三", 4))
    row = publish(*steps, now=MONDAY, settings={"when_off": when_off})
    hana = shop.joins()
    shop.until("24")
    assert says_so in shop.presses(row, "disable")
    nobody = shop.joins("太郎")
    shop.until("29" if when_off == "finish" else "28")
    assert shop.got(hana) == meanwhile
    shop.presses(row, "enable")
    shop.until("30")
    assert shop.got(hana) == in_the_end
    assert shop.got(nobody) == []


@pytest.mark.parametrize(
    ("when_over", "expected", "ended"),
    [
        ("finish", ["一", "二", "三"], ("finished", "")),
        ("stop", ["一"], ("stopped", "period_over")),
    ],
)
def test_whose_period_ends_while_she_is_underway(
    shop: Shop, when_over: str, expected: list[str], ended: tuple[str, str]
) -> None:
    over = {"period_until": at("2026-11-24").date(), "when_over": when_over}
    row = publish(*THREE, now=MONDAY, settings=over)
    hana = shop.joins()
    shop.until("25")
    late = shop.joins("太郎")
    shop.until("30")
    assert (shop.got(hana), shop.got(late)) == (expected, [])
    assert left(hana) == ended
    assert "期間結束時" in shop.screen(row, "?at=settings")
