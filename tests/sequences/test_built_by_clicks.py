"""Step messages built as somebody new to it would: by what the screen says, counting every act."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from lineadmin import clock as shop_clock
from lineadmin import settings, shopfile
from lineadmin.coupons.models import Coupon
from lineadmin.db import to_ms
from lineadmin.friends.models import FriendTag, Source, Tag
from lineadmin.friends.tags import DYNAMIC
from lineadmin.sequences import actions, drafts
from lineadmin.sequences.definition import dump
from lineadmin.sequences.models import Sequence
from lineadmin.tasks.tick import tick
from tests.browse import (
    NARROW,
    WIDE,
    click_and_close,
    english_on,
    serious_violations,
    sideways_overflow,
    sign_in,
)
from tests.conftest import NOON
from tests.panel import PASSWORD, with_password
from tests.sequences import stage
from tests.served import Served, serve

MOST_ACTS = 40
MENU = "https://shop.example/menu"


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

    def choose_inside(self, label: str, words: str) -> None:
        """Where the label is written around its choices."""
        found = self.page.get_by_label(re.compile(rf"^{re.escape(label)}"))
        self._act(lambda: found.select_option(label=words))

    def tick(self, label: str) -> None:
        self._act(self._field(label).first.check)

    def _field(self, label: str) -> Any:
        return self.page.get_by_label(re.compile(rf"^{re.escape(label)}( \*)?$"))

    def _act(self, act: Any) -> None:
        self.acts += 1
        act()


def open_shop() -> None:
    """Only sources, a tag and a coupon, and somebody to sign in."""
    settings.change_shop({"name": "熊大便當"}, staff=None, wall=NOON)
    with_password("owner", name="小美", email="mei@example.com")
    for code, name in (("storefront", "門市 QR"), ("line_pay", "LINE Pay")):
        Source.create(code=code, name=name, created_at=NOON)
    Tag.create(name="愛吃雙拼", created_at=NOON)
    Tag.create(name="看過菜單", kind=DYNAMIC, created_at=NOON)
    Coupon.create(
        code="bento20",
        title="雙拼便當 8 折",
        benefit="percent",
        benefit_value=20,
        valid_days=7,
        created_at=NOON,
    )


def clean(page: Any) -> list[str]:
    """What is wrong with the page as it stands."""
    wrong = serious_violations(page) + english_on(page)
    return [*wrong, "too wide"] if sideways_overflow(page) else wrong


@pytest.mark.browser
def test_two_branches_of_three_steps_in_forty_acts(
    page: Any, line: Any, app: Any, live: str, clock: Any, capsys: Any
) -> None:
    open_shop()
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
    for number, words in ((2, "新品投票"), (3, f"謝謝你 {MENU}")):
        hand.click("button", "在這裡加一步", nth=number - 2)
        page.get_by_role("heading", name=f"第 {number} 步").wait_for()
        hand.type("文字", words)
    hand.choose_inside("為點擊的好友加標籤", "看過菜單")
    hand.click("button", "新增分支")
    hand.choose("條件項目", "標籤")
    hand.choose("值", "愛吃雙拼")
    theirs = {
        "朋友，歡迎！": "{name}，雙拼多一份肉！",
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
    assert clean(page) == []

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
        [
            {"text": f"謝謝你 {MENU}"},
            {"track": "friend", "links": [{"url": MENU, "tag": "看過菜單"}]},
        ],
    ]

    phones = {name: line.client.add_phone(name)["user_id"] for name in ("花子", "太郎")}
    source = Source.get(Source.code == "storefront")
    for name, tags in (("花子", ()), ("太郎", ("愛吃雙拼",))):
        stage.follow(NOON, line_user_id=phones[name], name=name, source=source, tags=tags)
    for days in (0, 1, 7, 7):  # noon each time: what was due at 10:00 has left
        clock.forward(days=days)
        for _again in range(2):
            tick(shop_clock.now(), shop_clock.wall())
    *texts, thanks = line.client.texts(phones["花子"])
    assert texts == ["花子，歡迎！", "新品投票"]
    assert line.client.texts(phones["太郎"]) == ["太郎，雙拼多一份肉！", "雙拼新口味", "雙拼週"]

    # She taps: the tag of the link is hers, and what that tag starts comes the day after.
    tag = {"tag_added": "看過菜單"}
    stage.publish(stage.step(1, "11:00"), trigger=tag, now=shop_clock.now(), name="菜單之後")
    opened = app.test_client().get(thanks.removeprefix("謝謝你 https://shop.example"))
    assert opened.location == MENU
    for days in (0, 1):
        clock.forward(days=days)
        for _again in range(2):
            tick(shop_clock.now(), shop_clock.wall())
    tagged = FriendTag.select().join(Tag).where(Tag.name == "看過菜單")
    assert [row.friend.line_user_id for row in tagged] == [phones["花子"]]
    assert line.client.texts(phones["花子"])[3:] == ["hello"]
    assert len(line.client.texts(phones["太郎"])) == 3

    # The order of the steps: dragged by mouse, and by keys; days stay where they are.
    first, third = (page.locator(f'[data-place="1-{number}"]') for number in (1, 3))
    first.hover()
    page.mouse.down()
    third.hover(position={"x": 20, "y": 5})
    box = third.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 4, steps=3)
    with page.expect_navigation():
        page.mouse.up()
    expect(third).to_be_focused()
    with page.expect_navigation():
        third.press("Alt+ArrowUp")
    expect(page.locator('[data-place="1-2"]')).to_be_focused()
    (row,) = Sequence.select().where(Sequence.name == "新好友三步")
    steps = dump(actions.definition_of(row))["branches"][1]["steps"]
    assert [step["messages"][0]["text"] for step in steps] == [
        "新品投票",
        "{name}，歡迎！",
        f"謝謝你 {MENU}",
    ]
    assert [step["after_days"] for step in steps] == [1, 7, 7]
    _dragged_by_a_finger(page, first, third)
    ways = [step["messages"][0]["text"] for step in _steps_of(row)]
    assert ways == ["{name}，歡迎！", f"謝謝你 {MENU}", "新品投票"]

    # Whoever leaves in the middle of a word keeps it.
    hand.type("文字", "新品投票，明天截止")
    page.goto(f"{live}/admin/")
    for _wait in range(300):
        if _steps_of(row)[2]["messages"] == [{"text": "新品投票，明天截止"}]:
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("what was typed is gone")


def _steps_of(row: Sequence) -> list[Any]:
    """The steps of everyone else, as the editor has them."""
    return list(dump(actions.definition_of(Sequence.get_by_id(row.id)))["branches"][1]["steps"])


def _dragged_by_a_finger(page: Any, card: Any, last: Any) -> None:
    """A finger holds a card until it comes loose, and lets go of it behind the last one."""
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x, "y": y} for x, y in points]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    card.scroll_into_view_if_needed()
    here, there = card.bounding_box(), last.bounding_box()
    x, y = here["x"] + 30, here["y"] + 20
    touch("touchStart", (x, y))
    expect(card).to_have_class(re.compile("dragged"))
    for share in (0.5, 1.0):
        touch("touchMove", (x, y + share * (there["y"] + there["height"] - 4 - y)))
    with page.expect_navigation():
        touch("touchEnd")
    expect(last).to_be_focused()


SATURDAY = stage.at("2030-11-23", "15:00")
MONDAYS = ("11/25", "12/02", "12/09", "12/16")
WORDS = {
    "25 歲以下": ("同學，雙拼加麵", "同學，加蛋", "同學，加飲料", "同學，加肉"),
    "25–44 歲": ("上班族，雙拼", "上班族，湯", "上班族，咖啡", "上班族，外送"),
    "其他好友": ("街坊，雙拼", "街坊，燉湯", "街坊，熱茶", "街坊，少油"),
}


@pytest.fixture
def bento(db: Any, database_url: str, tmp_path: Path) -> Iterator[Served]:
    """The real processes over a shop with two sources, on a Saturday afternoon."""
    settings.change_shop(
        {"name": "熊大便當", "quiet_from": "21:00", "quiet_until": "09:00"}, staff=None, wall=NOON
    )
    for code, name in (("storefront", "門市 QR"), ("line_pay", "LINE Pay")):
        Source.create(code=code, name=name, created_at=NOON)
    shop_clock.ClockOffset.create(id=1, milliseconds=to_ms(SATURDAY) - to_ms(shop_clock.wall()))
    with serve(tmp_path, database_url) as served:
        yield served


@pytest.mark.browser
@pytest.mark.slow
def test_four_mondays_for_three_ages_from_the_first_click_to_the_phones(
    bento: Served, page: Any
) -> None:
    page.set_viewport_size(NARROW)
    sign_in(page, bento.address, bento.email, bento.password)
    page.goto(f"{bento.address}/admin/sequences/")
    hand = Hand(page)
    hand.click("link", "建立漸進式訊息")
    hand.type("名稱", "週一便當")
    hand.click("button", "下一步：編輯步驟")
    hand.card("加入好友（所有來源）")
    hand.tick("只有從指定來源加入的好友")
    hand.tick("門市 QR")
    hand.tick("LINE Pay")
    hand.card("第 1 天 10:00")
    hand.type("時間", "11:00")
    hand.choose("星期", "星期一")
    for number, words in enumerate(WORDS["其他好友"], 1):
        if number > 1:
            hand.click("button", "在這裡加一步", nth=number - 2)
            page.get_by_role("heading", name=f"第 {number} 步").wait_for()
        hand.type("文字", words)
    for branch, (name, low, high) in enumerate((("25 歲以下", None, 25), ("25–44 歲", 25, 45))):
        hand.click("button", "新增分支")
        page.get_by_role("heading", name="新分支").wait_for()
        wanted = [("至少", low), ("小於", high)]
        for row, (how, value) in enumerate(one for one in wanted if one[1]):
            if row:
                hand.click("button", "條件", inside=".panel")
            hand.choose("條件項目", "年齡", nth=row)
            hand.choose("比較方式", how, nth=row)
            hand.type("值", str(value), nth=row)
        hand.type("分支名稱", name)
        for number, words in enumerate(WORDS[name], 1):
            page.locator(f'[data-place="{branch}-{number}"]').click()
            page.get_by_role("heading", name=f"第 {number} 步").wait_for()
            hand.type("文字", words)
    page.get_by_text("已自動儲存").wait_for()
    assert clean(page) == []
    _saved_by_two_and_taken_back(page, hand)

    page.locator("a.split").click()
    with page.expect_response(re.compile("/groups/")) as saved:
        hand.tick("第一步要傳送時：到那時才知道的資料也算")
    assert saved.value.ok
    hand.click("link", "試跑")
    hand.click("link", "所有分支")
    expect(page.get_by_role("main")).to_contain_text("共 12 則訊息")
    for day in MONDAYS:
        expect(page.get_by_text(f"2030/{day}（一） 11:00")).to_have_count(len(WORDS))
    hand.click("link", "步驟")
    hand.click("link", "發布並啟用")
    hand.click("button", "發布並啟用")
    page.get_by_text("已發布").first.wait_for()

    page.set_viewport_size(WIDE)
    page.goto(f"{bento.address}/simulator/")
    phones = {name: page.get_by_role("article", name=name) for name in ("小明", "怡君", "阿婆")}
    _scans(page, phones["小明"], "門市 QR")
    _scans(page, phones["怡君"], "LINE Pay")
    granny = phones["阿婆"]
    granny.get_by_role("button", name="加入好友").click()
    granny.get_by_role("button", name="封鎖").wait_for()
    granny.get_by_label("掃描入口連結").select_option(label="LINE Pay：帶訊息的連結")
    expect(granny.get_by_role("textbox")).to_have_value("你好！#line_pay")
    granny.get_by_role("button", name="傳送").click()
    granny.get_by_text("謝謝你的加入").wait_for()
    # Before their first step they tell the shop how old they are; of 阿婆 nothing is known.
    for name, year in (("小明", "2010"), ("怡君", "2000")):
        page.goto(f"{bento.address}/admin/friends/")
        hand.click("link", name, inside="main")
        hand.click("link", "編輯", inside="main")
        hand.type("出生年", year)
        hand.click("button", "儲存")
        page.get_by_text(year).first.wait_for()

    page.goto(f"{bento.address}/simulator/")
    weeks = page.get_by_role("button", name="+4 週")
    weeks.click()
    expect(page.locator("[data-shop-time]")).to_contain_text("2030/12/21", timeout=120_000)
    for name, band in (("小明", "25 歲以下"), ("怡君", "25–44 歲"), ("阿婆", "其他好友")):
        received = re.findall(r"(\d\d/\d\d) (\d\d:\d\d)\n(.+)", phones[name].inner_text())
        expected = [(day, "11:00", text) for day, text in zip(MONDAYS, WORDS[band], strict=True)]
        assert received[-4:] == expected
        assert len(re.findall("同學|上班族|街坊", phones[name].inner_text())) == len(expected)
    assert bento.line.abuse() == []
    page.goto(f"{bento.address}/admin/sources/")
    for name, joined in (("門市 QR", "1"), ("LINE Pay", "2")):
        cell = page.get_by_role("row", name=name).get_by_role("cell").nth(3)
        expect(cell).to_have_text(joined)


def _scans(page: Any, phone: Any, source: str) -> None:
    """Somebody scans the code on the counter, and adds the account on the page it opens."""
    with page.expect_popup() as opened:
        phone.get_by_label("掃描入口連結").select_option(label=f"{source}：入口連結")
    click_and_close(opened.value, opened.value.get_by_role("button", name="加入好友"))
    phone.get_by_role("button", name="封鎖").wait_for()


def _saved_by_two_and_taken_back(page: Any, hand: Hand) -> None:
    """Somebody else saves meanwhile: both are told apart, and nothing is lost."""
    row = Sequence.get()
    written = dump(actions.definition_of(row))
    assert sorted(written["trigger"]["follow"]) == ["line_pay", "storefront"]
    steps = [step for one in written["branches"] for step in one["steps"]]
    assert {(one["at"], one["weekday"]) for one in steps} == {("11:00", "mon")}
    assert [one["after_days"] for one in steps] == [1, 7, 7, 7] * 3
    written["branches"][2]["steps"][0]["at"] = "12:00"
    drafts.save_draft(row.id, written, version=None, staff=None, wall=NOON)
    hand.type("文字", "上班族，外送到府")
    hand.click("button", "用我的內容儲存")
    page.get_by_text("已自動儲存").wait_for()
    branches = dump(actions.definition_of(Sequence.get_by_id(row.id)))["branches"]
    assert branches[1]["steps"][3]["messages"] == [{"text": "上班族，外送到府"}]
    assert branches[2]["steps"][0]["at"] == "12:00"
    for _change in range(2):
        hand.click("button", "復原")
        page.get_by_role("heading", name=re.compile("第 . 步")).wait_for()
    assert (
        dump(actions.definition_of(Sequence.get_by_id(row.id)))["branches"][2]["steps"][0]["at"]
        == "11:00"
    )
