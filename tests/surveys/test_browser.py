"""A survey in a browser: written by a manager with the phone beside it, answered 390 px wide."""

from __future__ import annotations

import pytest

from lineadmin.friends.models import Tag
from lineadmin.surveys import actions
from lineadmin.surveys.models import Survey, SurveyAnswer
from lineadmin.surveys.questions import questions_of
from tests.browse import NARROW, serious_violations, sideways_overflow, sign_in
from tests.conftest import NOON
from tests.factories import make_friend
from tests.panel import PASSWORD, with_password
from tests.surveys.making import link_of, path_of

pytestmark = pytest.mark.browser


def test_a_survey_is_written_by_clicks_and_answered_on_a_phone(live, page, app, clock):
    Tag.create(name="愛旅遊", created_at=NOON)
    sign_in(page, live, with_password("manager").email, PASSWORD)
    page.goto(f"{live}/admin/surveys/new/")
    page.get_by_label("名稱").first.fill("興趣小調查")
    add = page.get_by_role("group", name="新增題目")
    add.get_by_role("button", name="評分 1 到 5").click()
    page.keyboard.type("幾分？")
    add.get_by_role("button", name="單選").click()
    page.keyboard.type("喜歡什麼？")
    second = page.get_by_role("listitem", name="2. 單選")
    second.get_by_role("textbox", name="選項").first.fill("旅遊")
    second.get_by_label("選了就貼標籤").first.select_option("愛旅遊")
    second.get_by_role("textbox", name="選項").nth(1).fill("其他")
    second.get_by_role("textbox", name="選項").nth(1).press("Enter")
    page.keyboard.type("不要")
    second.get_by_role("button", name="刪除").last.click()
    second.get_by_role("button", name="上移").click()
    page.get_by_role("listitem", name="2. 評分 1 到 5").get_by_role("button", name="刪除").click()
    page.get_by_role("button", name="復原").click()
    shown = page.frame_locator("iframe")
    shown.get_by_role("group", name="1. 喜歡什麼？").wait_for()
    shown.get_by_role("group", name="2. 幾分？").wait_for()
    page.get_by_role("button", name="建立問卷").click()
    page.get_by_role("heading", name="興趣小調查", level=1).wait_for()
    survey = Survey.get()
    asked = questions_of(survey)
    assert [one.text for one in asked] == ["喜歡什麼？", "幾分？"]
    assert [(one.text, len(one.tags)) for one in asked[0].choices] == [("旅遊", 1), ("其他", 0)]

    actions.open_up(survey.id, staff=None, wall=NOON)
    page.set_viewport_size(NARROW)
    page.goto(live + path_of(link_of(actions.get(survey.id), make_friend("小花"))))
    assert sideways_overflow(page) == 0
    assert serious_violations(page) == []
    page.get_by_label("旅遊").check()
    page.reload()  # as after a lost connection: what she chose is still there
    page.get_by_label("旅遊").and_(page.locator(":checked")).wait_for()
    page.get_by_role("button", name="送出回答").click()
    page.get_by_text("已收到您的回答").wait_for()
    assert sideways_overflow(page) == 0
    assert SurveyAnswer.select().count() == 1
