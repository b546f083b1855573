"""Starting and stopping friends on screen, and where a friend stands on her page."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from lineadmin.friends.models import Friend
from lineadmin.segments.models import Segment
from lineadmin.sequences import triggers
from lineadmin.sequences.models import Enlistment, Enrolment
from tests.factories import make_friend, make_friends
from tests.panel import flashes_of, hidden_of, panel_of
from tests.sequences.stage import at, follow, publish, run_of, step, tick

MONDAY = at("2026-11-23")


@pytest.fixture(autouse=True)
def shop(app: Any, clock: Any) -> None:
    """Monday noon."""


def test_one_friend_from_her_own_page_and_stopped_again(app: Any) -> None:
    hello = [{"text": "{name|朋友}早安"}]
    sequence = publish(step(1, messages=hello), trigger={"manual": True}, now=MONDAY)
    hana = make_friend("小花")
    panel = panel_of(app, "manager")
    here = f"/admin/friends/{hana.id}/"
    assert "手動開始" in panel.get(here).text
    start = {"sequence": sequence.id, "friend": hana.id, "url": here}
    answer = panel.post("/admin/sequence-friends/start/", start)
    assert answer.location.endswith(here)
    page = panel.get(here).text
    assert "下一步：2026/11/24（二）10:00" in page
    assert "小花早安" in page
    asked = panel.post(f"/admin/sequence-friends/{sequence.id}/stop/", start).text
    panel.post(
        f"/admin/sequence-friends/{sequence.id}/stop/", {**hidden_of(asked), "confirmed": "1"}
    )
    assert run_of(hana).reason == "staff"
    assert "結束：" in panel.get(here).text


def test_her_page_says_which_branch_and_why(app: Any) -> None:
    young = {"field": "age", "op": "less_than", "value": 25}
    publish(
        branches=[
            {"name": "年輕", "where": young, "steps": [step(1)]},
            {"name": "其他好友", "otherwise": True, "steps": [step(1)]},
        ],
        now=MONDAY,
    )
    hana, taro = follow(MONDAY, birth_year=2010), follow(MONDAY)
    tick(MONDAY)
    panel = panel_of(app)
    assert "分支「年輕」，於開始時決定" in panel.get(f"/admin/friends/{hana.id}/").text
    assert "不符合其他條件" in panel.get(f"/admin/friends/{taro.id}/").text


def test_a_segment_after_saying_how_many(app: Any) -> None:
    sequence = publish(step(1), trigger={"manual": True}, now=MONDAY)
    make_friends(12)
    everybody = Segment.create(name="大家", tree={"all": []}, created_at=MONDAY)
    panel = panel_of(app, "manager")
    address = f"/admin/sequence-friends/{sequence.id}/segment/"
    asked = panel.post(address, {"segment": everybody.id}).text
    assert "要讓 12 位好友開始" in asked
    assert not Enlistment.select().exists()
    panel.post(address, {**hidden_of(asked), "confirmed": "1"})
    triggers.advance(MONDAY, MONDAY)
    assert Enrolment.select().count() == 12
    page = panel.get(f"/admin/sequence-friends/{sequence.id}/").text
    assert "已開始 12 位" in page
    assert "2026/11/24（二）10:00" in page


@pytest.mark.parametrize(("role", "seen", "posted"), [("viewer", 403, 403), ("staff", 200, 403)])
def test_who_may(app: Any, role: str, seen: int, posted: int) -> None:
    sequence = publish(step(1), trigger={"manual": True}, now=MONDAY)
    hana = make_friend()
    panel = panel_of(app, role)
    address = f"/admin/sequence-friends/{sequence.id}/"
    assert panel.get(address).status_code == seen
    assert panel.post(f"{address}start/", {"friend": hana.id}).status_code == posted
    assert not Enrolment.select().exists()


def test_refusals_are_told(app: Any) -> None:
    sequence = publish(step(1), trigger={"manual": True}, now=MONDAY)
    hana = make_friend()
    panel = panel_of(app)
    address = f"/admin/sequence-friends/{sequence.id}/"
    for data in ({"friend": hana.id}, {"friend": hana.id}, {"friend": "x"}):
        panel.post(f"{address}start/", data)
    assert len(flashes_of(panel.get(address).text)) == 3
    assert Enrolment.select().count() == 1


def test_a_birthday_is_set_on_her_page(app: Any) -> None:
    hana = make_friend()
    panel = panel_of(app)
    address = f"/admin/friends/{hana.id}/edit/"
    form = hidden_of(panel.get(address).text)
    assert "05-31" in panel.post(address, {**form, "birthday": "13-40"}).text
    panel.post(address, {**form, "birthday": "2/29"})
    assert Friend.get_by_id(hana.id).birthday == "02-29"


def test_the_friends_of_a_sequence_come_in_pages_and_by_what_they_wait_for(app: Any) -> None:
    panel = panel_of(app, "manager")
    sequence = publish(step(1), step(7), now=MONDAY)
    waiting = [enrolled(sequence, f"一{number:03d}", 0) for number in range(60)]
    ahead = enrolled(sequence, "走在前面", 1)
    gone = enrolled(sequence, "離開的人", 1, state="stopped", reason="blocked")
    address = f"/admin/sequence-friends/{sequence.id}/"
    first = panel.get(address).text
    assert "61" in first
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = panel.get(html.unescape(following[1])).text
    names = [one.display_name for one in [*waiting, ahead]]
    shown = (
        [name for name in names if f">{name}<" in first],
        [name for name in names if f">{name}<" in second],
    )
    assert (len(shown[0]), len(shown[1])) == (50, 11)
    assert set(shown[0]) | set(shown[1]) == set(names)
    assert 'rel="prev"' in second
    assert f">{gone.display_name}<" not in first + second
    only = panel.get(f"{address}?who=step-2").text
    assert [name for name in names if f">{name}<" in only] == ["走在前面"]
    left = panel.get(f"{address}?who=stopped").text
    assert (">離開的人<" in left, ">走在前面<" in left, "封鎖" in left) == (True, False, True)
    assert "沒有符合的好友" in panel.get(f"{address}?who=finished").text
    assert panel.get(f"{address}?who=step-x&after=nonsense").status_code == 200


def enrolled(sequence: Any, name: str, steps: int, **fields: Any) -> Any:
    friend = make_friend(name)
    ended = {"ended_at": MONDAY} if fields else {"next_at": MONDAY}
    Enrolment.create(
        sequence=sequence.id,
        friend_id=friend.id,
        version_id=sequence.live_version,
        step=steps,
        base_day=MONDAY.date(),
        entered_at=MONDAY,
        **ended,
        **fields,
    )
    return friend
