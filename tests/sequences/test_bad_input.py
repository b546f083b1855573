"""What cannot be is refused at every door with the same sentence: editor, shop file, action."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from lineadmin import shopfile
from lineadmin.coupons.models import Coupon
from lineadmin.errors import DomainError
from lineadmin.sequences import actions
from lineadmin.sequences.models import Sequence, SequenceVersion
from tests.conftest import NOON
from tests.panel import Panel, panel_of
from tests.sequences.stage import at, step

NAME = "新好友四週養成"
DAYS = "步驟之間的天數請填 1 到 30 的整數。"
ANY_DAYS: Any = {"trigger": {"follow": "any"}}


def whole(*steps: Any) -> dict[str, Any]:
    return {**ANY_DAYS, "branches": [{"steps": list(steps)}]}


def ages(*bands: tuple[str, int]) -> dict[str, Any]:
    """One branch for every (op, age), and everyone else."""
    branches: list[dict[str, Any]] = [
        {"name": f"組 {number}", "where": age(*band), "steps": [step()]}
        for number, band in enumerate(bands, 1)
    ]
    rest = {"name": "其他好友", "otherwise": True, "steps": [step()]}
    return {**ANY_DAYS, "branches": [*branches, rest]}


def age(op: str, value: int) -> dict[str, Any]:
    return {"field": "age", "op": op, "value": value}


@dataclass
class Case:
    """What is wrong, as a whole definition, and how somebody at the screen comes to it."""

    name: str
    sentence: str
    definition: dict[str, Any]
    start: dict[str, Any]  # what the editor begins with
    at_screen: Callable[[Desk], str]  # … and the page that answers
    period: dict[str, str] = field(default_factory=dict)


class Desk:
    """Somebody at the editor of one sequence."""

    def __init__(self, panel: Panel, row: Sequence) -> None:
        self.panel, self.id = panel, row.id

    def post(self, path: str, **data: Any) -> str:
        version = Sequence.get_by_id(self.id).version
        answer = self.panel.post(
            f"/admin/sequences/{self.id}/{path}",
            {"version": version, **data},
            follow_redirects=True,
        )
        return html.unescape(answer.text)

    def step(self, **data: str) -> str:
        fields = {"after_days": "1", "at": "10:00", "messages": json.dumps([{"text": "hi"}])}
        return self.post("step/0-1/", **{**fields, **data})

    def publish(self) -> str:
        page = self.post("publish/", confirmed="1")
        assert not SequenceVersion.select().exists()
        return page + html.unescape(self.panel.get(f"/admin/sequences/{self.id}/publish/").text)


def days(value: Any, typed: str) -> Case:
    return Case(
        f"{value!r} days",
        DAYS,
        whole(step(value)),
        whole(step()),
        lambda desk: desk.step(after_days=typed),
    )


CASES = [
    days(0, "0"),
    days(31, "31"),
    days(1.5, "1.5"),
    days("", ""),
    Case(
        "an 11th step",
        "一個腳本最多 10 個步驟。",
        whole(*[step()] * 11),
        whole(*[step()] * 10),
        lambda desk: desk.post("step/add/", after="0-10"),
    ),
    Case(
        "a 5th condition",
        "最多 4 個條件，加上其他好友。",
        ages(*[("is", number) for number in range(5)]),
        ages(*[("is", number) for number in range(4)]),
        lambda desk: desk.post("branch/add/"),
    ),
    Case(
        "overlapping ages",
        "「組 1」和「組 2」的年齡重疊：25–29 歲。",
        ages(("less_than", 30), ("at_least", 25)),
        ages(("less_than", 25), ("at_least", 25)),
        lambda desk: (
            desk.post("branch/0/", name="組 1", where=json.dumps(age("less_than", 30)))
            + desk.publish()
        ),
    ),
    Case(
        "a period that ends before it starts",
        "啟用期間的結束日早於開始日。",
        whole(step()),
        whole(step()),
        lambda desk: desk.post(
            "settings/",
            name=NAME,
            period_from="2026-12-02",
            period_until="2026-12-01",
            priority="50",
            when_off="pause",
            when_over="finish",
        ),
        {"from": "2026-12-02", "until": "2026-12-01"},
    ),
    Case(
        "a step without message",
        "請至少寫一則訊息。",
        whole(step(messages=[])),
        whole(step(messages=[])),
        lambda desk: desk.publish(),
    ),
    Case(
        "a coupon that ends before the step",
        "優惠券「見面禮」在這個步驟之前就結束了。",
        whole(step(7), step(7, messages=[{"coupon": "gift"}])),
        whole(step(7), step(7, messages=[{"coupon": "gift"}])),
        lambda desk: desk.publish(),
    ),
    Case(
        "a survey that is not there",
        "沒有短代號為 taste 的問卷。",
        {**whole(step()), "trigger": {"survey_answered": "taste"}},
        whole(step()),
        lambda desk: (
            desk.post("trigger/", who="survey_answered", survey="taste", days="0") + desk.publish()
        ),
    ),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture(autouse=True)
def coupon(app: Any, clock: Any) -> None:
    Coupon.create(
        code="gift",
        title="見面禮",
        benefit="gift",
        created_at=NOON,
        valid_until=at("2026-12-01", "00:00"),
    )


def in_the_action(case: Case) -> str:
    with pytest.raises(DomainError) as refused:
        make_and_publish(case)
    return str(refused.value)


def make_and_publish(case: Case) -> None:
    row = actions.create_sequence(NAME, case.definition, staff=None, now=NOON, wall=NOON)
    if case.period:
        actions.change_settings(
            row.id,
            name=NAME,
            period_from=date.fromisoformat(case.period["from"]),
            period_until=date.fromisoformat(case.period["until"]),
            version=None,
            staff=None,
            wall=NOON,
        )
    actions.publish(row.id, version=None, staff=None, now=NOON, wall=NOON, public_url="https://x")


def in_the_shop_file(case: Case) -> str:
    part = {"name": NAME, "enabled": True, **case.definition}
    if case.period:
        part["period"] = case.period
    file = json.dumps({"version": 1, "sequences": [part]}, ensure_ascii=False)
    with pytest.raises(DomainError) as refused:
        shopfile.load(file, staff=None, now=NOON, wall=NOON, public_url="https://x")
    assert not Sequence.select().exists()
    return str(refused.value)


def in_the_editor(case: Case, app: Any) -> str:
    row = actions.create_sequence(NAME, case.start, staff=None, now=NOON, wall=NOON)
    return case.at_screen(Desk(panel_of(app, "manager"), row))


@each_case
def test_each_door_says_the_same_sentence(case: Case, app: Any) -> None:
    assert case.sentence in in_the_shop_file(case)
    assert case.sentence in in_the_action(case)
    Sequence.delete().execute()
    assert case.sentence in in_the_editor(case, app)
    assert not SequenceVersion.select().exists()


def test_bands_that_touch_do_not_overlap(app: Any) -> None:
    row = actions.create_sequence(
        NAME,
        ages(("less_than", 25), ("at_least", 25)),
        staff=None,
        now=NOON,
        wall=NOON,
    )
    assert actions.publish(
        row.id, version=None, staff=None, now=NOON, wall=NOON, public_url="https://x"
    )
