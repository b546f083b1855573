"""Step messages built as somebody new to it would: by what the screen says, counting every act."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin import settings, shopfile
from lineadmin.coupons.models import Coupon
from lineadmin.friends.models import Source, Tag
from lineadmin.tasks.tick import tick
from tests.browse import english_on, serious_violations, sideways_overflow, sign_in
from tests.conftest import NOON
from tests.panel import PASSWORD, with_password
from tests.sequences import stage

MOST_ACTS = 40


class Hand:
    """Clicks, selects and fields typed, by the labels that are seen; counted."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.acts = 0

    def click(self, role: str, name: str, *, inside: str = "body", nth: int = 0) -> None:
        found = self.page.locator(inside).get_by_role(role, name=name, exact=True)
        self._act(found.nth(nth).click)

    def card(self, words: str) -> None:
        """The first card of the canvas, from the left, that has these words on it."""
        steps = self.page.get_by_role("region", name="步驟（由上到下）")
        self._act(steps.get_by_role("link").filter(has_text=words).first.click)

    def type(self, label: str, text: str, *, nth: int = 0) -> None:
        self._act(lambda: self._field(label).nth(nth).fill(text))

    def choose(self, label: str, words: str, *, nth: int = 0) -> None:
        self._act(lambda: self._field(label).nth(nth).select_option(label=words))

    def tick(self, label: str) -> None:
        self._act(self._field(label).first.check)

    def _field(self, label: str) -> Any:
        return self.page.get_by_label(re.compile(rf"^{re.escape(label)}( \*)?$"))

    def _act(self, act: Any) -> None:
        self.acts += 1
        act()


@pytest.mark.browser
def test_two_branches_of_three_steps_in_forty_acts(
    page: Any, line: Any, app: Any, live: str, clock: Any, capsys: Any
) -> None:
    settings.change_shop({"name": "熊大便當"}, staff=None, wall=NOON)
    with_password("owner", name="小美", email="mei@example.com")
    for code, name in (("storefront", "門市 QR"), ("line_pay", "LINE Pay")):
        Source.create(code=code, name=name, created_at=NOON)
    Tag.create(name="愛吃雙拼", created_at=NOON)
    Coupon.create(
        code="bento20",
        title="雙拼便當 8 折",
        benefit="percent",
        benefit_value=20,
        valid_days=7,
        created_at=NOON,
    )
    sign_in(page, live, "mei@example.com", PASSWORD)
    hand = Hand(page)

    hand.click("link", "漸進式訊息", inside="nav")
    hand.click("link", "建立漸進式訊息")
    hand.type("名稱", "新好友三步")
    hand.click("button", "下一步：編輯步驟")
    hand.card("加入好友（所有來源）")
    hand.tick("只有從指定來源加入的好友")
    hand.tick("門市 QR")
    hand.card("第 1 天 10:00")
    hand.type("文字", "{name}，歡迎！")
    hand.click("button", "優惠券", inside=".composer-add")
    hand.choose("優惠券", "雙拼便當 8 折・8 折・領取後 7 天內有效")
    for number, words in ((2, "新品投票"), (3, "謝謝你")):
        hand.click("button", "在這裡加一步", nth=number - 2)
        page.get_by_role("heading", name=f"第 {number} 步").wait_for()
        hand.type("文字", words)
    hand.click("button", "新增分支")
    hand.choose("條件項目", "標籤")
    hand.choose("值", "愛吃雙拼")
    theirs = {
        "{name}，歡迎！": "{name}，雙拼多一份肉！",
        "新品投票": "雙拼新口味",
        "謝謝你": "雙拼週",
    }
    for number, (old, new) in enumerate(theirs.items(), 1):
        hand.card(old)
        page.get_by_role("heading", name=f"第 {number} 步").wait_for()
        hand.type("文字", new)
    hand.click("link", "發布並啟用")
    page.get_by_role("heading", name="發布「新好友三步」？").wait_for()
    hand.click("button", "發布並啟用")
    page.get_by_text("已發布").first.wait_for()
    with capsys.disabled():
        print(f"\ntwo branches of three steps, built in {hand.acts} acts")
    assert hand.acts <= MOST_ACTS
    assert serious_violations(page) + english_on(page) == []
    assert not sideways_overflow(page)

    (written,) = shopfile.as_data()["sequences"]
    assert written["enabled"]
    assert written["trigger"] == {"follow": ["storefront"]}
    theirs, rest = written["branches"]
    assert theirs["where"] == {"all": [{"field": "tag", "op": "is", "value": "愛吃雙拼"}]}
    assert [theirs["name"], rest["name"], rest["otherwise"]] == [
        "有「愛吃雙拼」標籤",
        "其他好友",
        True,
    ]
    assert [step["messages"] for step in theirs["steps"]] == [
        [{"text": "{name}，雙拼多一份肉！"}, {"coupon": "bento20"}],
        [{"text": "雙拼新口味"}],
        [{"text": "雙拼週"}],
    ]
    assert [step["messages"] for step in rest["steps"]] == [
        [{"text": "{name}，歡迎！"}, {"coupon": "bento20"}],
        [{"text": "新品投票"}],
        [{"text": "謝謝你"}],
    ]

    phones = {name: line.client.add_phone(name)["user_id"] for name in ("花子", "太郎")}
    source = Source.get(Source.code == "storefront")
    for name, tags in (("花子", ()), ("太郎", ("愛吃雙拼",))):
        stage.follow(NOON, line_user_id=phones[name], name=name, source=source, tags=tags)
    for days in (0, 1, 7, 7):  # noon each time: what was due at 10:00 has left
        clock.forward(days=days)
        for _again in range(2):
            tick(shop_clock.now(), shop_clock.wall())
    assert line.client.texts(phones["花子"]) == ["花子，歡迎！", "新品投票", "謝謝你"]
    assert line.client.texts(phones["太郎"]) == ["太郎，雙拼多一份肉！", "雙拼新口味", "雙拼週"]
