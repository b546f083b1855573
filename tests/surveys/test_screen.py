"""Surveys on the managers' screens, without JavaScript, and in the shop file."""

from __future__ import annotations

import csv
import io
import json

import pytest

from lineadmin.friends.models import Field
from lineadmin.shopfile.dump import as_data, dump
from lineadmin.shopfile.errors import ShopFileError, ShopFileErrors
from lineadmin.shopfile.load import load
from lineadmin.staff.models import Audit
from lineadmin.surveys.answer import opened, take
from lineadmin.surveys.models import Survey, SurveyAnswer
from lineadmin.surveys.questions import questions_of
from tests.conftest import NOON
from tests.coupons.making import make_coupon
from tests.factories import make_friend, make_friends
from tests.panel import flashes_of, hidden_of, panel_of
from tests.surveys.making import INTERESTS, SCORE, WORDS, edit, keys_of, link_of, make_survey


def question(text, kind="text", **more):
    plain = {"key": "", "type": kind, "text": text, "required": False, "help": "", "field": ""}
    return plain | {"choices": []} | more


def choice(text, *tags, key=""):
    return {"key": key, "text": text, "tags": list(tags)}


NEW = {
    "title": "興趣小調查",
    "repeat": "once",
    "coupon": "",
    "questions": json.dumps(
        [
            question("平常喜歡什麼？", "several", choices=[choice("遊戲"), choice("旅遊")]),
            question("想說什麼？"),
        ]
    ),
}


@pytest.fixture
def manager(app, clock):
    return panel_of(app, "manager")


def answer(survey, friend, said, **place):
    link, keys = link_of(survey, friend, **place), keys_of(survey)
    opened(link, now=NOON)
    written = {keys[text]: [keys.get(one, one) for one in given] for text, given in said.items()}
    return take(link, written, revision=survey.revision, now=NOON)


def test_a_survey_is_made_opened_closed_and_put_away(manager):
    made = manager.post("/admin/surveys/new/", NEW)
    survey = Survey.get()
    assert made.location.endswith(f"/admin/surveys/details/?id={survey.id}")
    assert (survey.state, len(questions_of(survey))) == ("draft", 2)
    state = "/admin/surveys/state/"
    manager.post(state, {"id": survey.id, "state": "open"})
    assert Survey.get().state == "open"
    put_away = manager.post("/admin/surveys/archive/", {"id": survey.id}, follow_redirects=True)
    assert flashes_of(put_away.text)[-1] == "請先結束問卷，再封存。"
    assert "要結束" in manager.post(state, {"id": survey.id, "state": "closed"}).text
    assert Survey.get().state == "open"
    manager.post(state, {"id": survey.id, "state": "closed", "confirmed": "1"})
    manager.post("/admin/surveys/archive/", {"id": survey.id})
    assert Survey.get().archived_at is not None
    assert "共 0 筆" in manager.get("/admin/surveys/").text
    assert "興趣小調查" in manager.get("/admin/surveys/?archived=1").text
    told = [
        row.action for row in Audit.select().where(Audit.object_kind == "survey").order_by(Audit.id)
    ]
    assert told == ["survey.create", "survey.open", "survey.close", "survey.archive"]


def test_mistakes_are_told_beside_each_question_and_nothing_is_stored(manager):
    wrong = [
        question("", "one", choices=[choice("同"), choice("同")]),
        question("誰？", "field", field="gone"),
        question("誰？", choices=[]),
        question("x", "several", choices=[choice("a", "沒有的標籤"), choice("")]),
    ]
    page = manager.post("/admin/surveys/new/", NEW | {"questions": json.dumps(wrong)}).text
    assert not Survey.select().exists()
    assert "第 1 題：請寫題目。" in page
    state = json.loads(page.split("data-state>")[1].split("</script>")[0])
    told = {(one["path"][0], one["sentence"]) for one in state["problems"]}
    assert told == {
        (0, "請寫題目。"),
        (0, "已經有「同」這個選項。"),
        (1, "沒有「gone」這個自訂欄位。"),
        (2, "與第 2 題重複。"),
        (3, "沒有「沒有的標籤」這個標籤。"),
        (3, "請寫選項文字，或刪除這個選項。"),
    }
    assert len(state["questions"]) == 4
    for nonsense in ("[1]", "{", "[{}]", "null", '[{"type": "one", "choices": [3]}]'):
        refused = manager.post("/admin/surveys/new/", NEW | {"questions": nonsense})
        assert "讀不到題目" in refused.text
    assert not Survey.select().exists()


def test_the_preview_follows_the_form_and_keeps_nothing(manager):
    make_coupon(code="tea", title="紅茶一杯")
    drawn = manager.post("/admin/surveys/preview/", NEW | {"coupon": "tea", "title": ""}).json
    assert "平常喜歡什麼？" in drawn["page"]
    assert "紅茶一杯" in drawn["page"]
    assert "填完送：紅茶一杯" in json.dumps(drawn["messages"], ensure_ascii=False)
    assert drawn["problems"] == []
    assert not Survey.select().exists()


def test_editing_after_answers_keeps_them_under_their_questions(manager):
    survey = make_survey(INTERESTS, WORDS)
    answer(survey, make_friend(), {"平常喜歡什麼？": ["遊戲"], WORDS.text: ["加油"]})
    address = f"/admin/surveys/edit/?id={survey.id}"
    page = manager.get(address).text
    hidden = hidden_of(page)
    asked = json.loads(hidden["questions"])
    asked[0]["text"] = "喜歡哪些？"
    asked[0]["choices"] = [asked[0]["choices"][0] | {"text": "電玩"}, choice("登山"), choice("貓")]
    asked[1] = question("幾分？", "rating")
    saved = manager.post(
        address,
        hidden | {"title": "新的名字", "repeat": "once", "questions": json.dumps(asked)},
    )
    assert saved.status_code == 302, saved.text
    again = manager.post(address, hidden | {"title": "別的", "questions": json.dumps(asked)})
    assert again.status_code == 409
    survey = Survey.get()
    assert (survey.revision, survey.title) == (2, "新的名字")
    page = manager.get(f"/admin/surveys/details/?id={survey.id}").text
    for piece in ("喜歡哪些？", "電玩", "旅遊", "登山", "幾分？", WORDS.text, "已不再詢問"):
        assert piece in page
    assert "平常喜歡什麼？" not in page.split("異動紀錄")[0]


def test_results_by_step_and_month_with_texts_and_csv(manager, app):
    survey = make_survey(SCORE, WORDS, repeat="sending", title="月滿意度")
    hana = make_friend("=小花")
    for place, score in ((1, "5"), (2, "2")):
        answer(
            survey,
            hana,
            {SCORE.text: [score], WORDS.text: [f"第{place}次"]},
            origin="step",
            origin_id=7,
            place=place,
        )
    for friend in map(make_friend, ["甲", "乙"]):
        answer(survey, friend, {SCORE.text: ["4"]}, origin="step", origin_id=7, place=1)
    page = manager.get(f"/admin/surveys/details/?id={survey.id}").text
    for piece in ("第 1 步", "第 2 步", "2026/11", "4.3", "2.0", "3.75"):
        assert piece in page
    sending = SurveyAnswer.get(SurveyAnswer.sitting > 0).sending_id
    narrowed = manager.get(f"/admin/surveys/details/?id={survey.id}&sending={sending}").text
    assert "4.33" in narrowed
    key = keys_of(survey)[WORDS.text]
    words = manager.get(f"/admin/surveys/words/?id={survey.id}&q={key}").text
    assert words.index("第2次") < words.index("第1次")
    assert "小花" in words
    viewer = panel_of(app, "viewer")
    hidden = viewer.get(f"/admin/surveys/words/?id={survey.id}&q={key}").text
    assert "第1次" in hidden
    assert "小花" not in hidden
    assert viewer.get(f"/admin/surveys/answers.csv?id={survey.id}").status_code == 403
    text = manager.get(f"/admin/surveys/answers.csv?id={survey.id}").get_data(as_text=True)
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 5
    assert rows[0][3:5] == [SCORE.text, WORDS.text]
    assert rows[1][1] == "'=小花"
    assert rows[1][3:5] == ["5", "第1次"]
    assert Audit.get(Audit.action == "survey.export").after == {"rows": 4}


def test_texts_are_paged(manager):
    survey = make_survey(WORDS)
    for number in make_friends(60):
        answer(survey, type("F", (), {"id": number}), {WORDS.text: [f"意見{number}。"]})
    key = keys_of(survey)[WORDS.text]
    page = manager.get(f"/admin/surveys/words/?id={survey.id}&q={key}").text
    assert "after=" in page
    assert page.count("意見") < 60


def test_a_copy_is_a_draft_with_the_same_questions_and_no_answers(manager):
    survey = make_survey(INTERESTS, WORDS, coupon="")
    answer(survey, make_friend(), {"平常喜歡什麼？": ["遊戲"]})
    manager.post("/admin/surveys/copy/", {"id": survey.id})
    copied = Survey.get(Survey.id != survey.id)
    assert (copied.title, copied.state, copied.answers) == ("興趣小調查（複本）", "draft", 0)
    assert [one.text for one in questions_of(copied)] == [INTERESTS.text, WORDS.text]
    assert questions_of(copied)[0].choices[0].tags == questions_of(survey)[0].choices[0].tags


def test_staff_and_viewers_read_only(app, clock):
    survey = make_survey()
    for role in ("staff", "viewer"):
        person = panel_of(app, role)
        assert person.get(f"/admin/surveys/details/?id={survey.id}").status_code == 200
        assert person.get("/admin/surveys/new/").status_code in (403, 404)
        for door in ("state", "copy", "archive", "test", "preview"):
            refused = person.post(f"/admin/surveys/{door}/", {"id": survey.id, "state": "closed"})
            assert refused.status_code == 403, door
    assert Survey.select().count() == 1


def test_a_tag_or_field_in_use_names_the_survey(manager):
    Field.create(key="allergy", name="過敏", type="text")
    survey = make_survey(INTERESTS)
    edit(survey, title="興趣問卷")
    from lineadmin.friends.models import Tag
    from lineadmin.reports import uses

    assert uses.told(uses.of_tag(Tag.get(Tag.name == "愛旅遊"))) == ["問卷「興趣問卷」"]
    assert uses.of_field("allergy") == []


# The shop file --------------------------------------------------------------------------------

FILE = """
version: 1
tags: [{name: 愛旅遊, color: "#1f5fbf", kind: static}]
fields: [{key: allergy, name: 過敏, type: text}]
coupons:
  - {code: tea, title: 紅茶一杯, benefit: {type: gift, text: 紅茶}, valid: {days: 7}}
surveys:
  - code: interests
    title: 興趣小調查
    questions:
      - text: 平常喜歡什麼？
        type: several
        required: true
        choices: [{text: 旅遊, tags: [愛旅遊]}, 其他]
      - {text: 過敏嗎？, type: field, field: allergy}
    repeat: once
    until: 2026-12-31
    coupon: tea
    state: open
greeting: {messages: [{text: 歡迎}, {survey: interests}]}
"""


def load_file(text, **more):
    return load(text, staff=None, now=NOON, wall=NOON, **more)


def test_the_shop_file_makes_and_dumps_surveys(db):
    assert load_file(FILE, dry_run=True).created
    assert not Survey.select().exists()
    load_file(FILE)
    survey = Survey.get()
    assert (survey.state, survey.coupon.code, survey.gift_each) == ("open", "tea", False)
    assert load_file(FILE).created == load_file(FILE).changed == []
    dumped = as_data()["surveys"][0]
    assert dumped["until"] == "2026-12-31"
    assert dumped["questions"][0]["choices"] == [{"text": "旅遊", "tags": ["愛旅遊"]}, "其他"]
    assert survey.link_key not in dump()
    assert load_file(dump()).changed == []
    keys = keys_of(survey)
    load_file(FILE.replace("type: several", "type: one").replace(", 其他", ", 睡覺, 其他"))
    assert keys_of(Survey.get()).items() >= keys.items()
    load_file("version: 1\nsurveys: [{code: interests, state: closed, coupon: null}]")
    assert as_data()["surveys"][0]["state"] == "closed"
    assert Survey.get().coupon_id is None


@pytest.mark.parametrize(
    ("change", "line", "place"),
    [
        (("tags: [愛旅遊]}, 其他", "tags: [愛唱歌]}, 其他"), 14, "tags"),
        (("field: allergy}", "field: height}"), 15, "field"),
        (("type: several", "type: many"), 12, "type"),
        (("coupon: tea\n", "coupon: milk\n"), 18, "coupon"),
        (("until: 2026", "from: 2027-01-01\n    until: 2026"), 18, "until"),
        (("{survey: interests}", "{survey: taste}"), 20, "messages"),
        (("[{text: 旅遊, tags: [愛旅遊]}, 其他]", "[其他]"), 14, "choices"),
    ],
)
def test_a_mistake_in_the_file_names_its_line_and_field_and_changes_nothing(
    db, change, line, place
):
    with pytest.raises((ShopFileError, ShopFileErrors)) as refused:
        load_file(FILE.replace(*change))
    first = getattr(refused.value, "errors", [refused.value])[0]
    assert first.line == line
    assert place in map(str, first.path)
    assert not Survey.select().exists()
