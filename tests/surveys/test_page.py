"""The friend's page of a survey: what it takes, once, and what comes of it."""

from __future__ import annotations

import html
import re
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from lineadmin import db as database
from lineadmin.coupons import throttle
from lineadmin.coupons.models import CouponIssue
from lineadmin.friends.models import Field, Friend, FriendField, FriendTag, Tag
from lineadmin.journal.models import Fact
from lineadmin.surveys import actions, answer
from lineadmin.surveys.answer import NotTaken, take
from lineadmin.surveys.models import Survey, SurveyAnswer, SurveyOpening, SurveyReply
from lineadmin.surveys.plan import ChoicePlan, QuestionPlan
from lineadmin.surveys.questions import questions_of
from tests.conftest import NOON
from tests.coupons.making import make_coupon
from tests.factories import make_friend
from tests.surveys.making import (
    INTERESTS,
    SCORE,
    WORDS,
    edit,
    keys_of,
    link_of,
    make_survey,
    path_of,
)


@pytest.fixture
def hana(app, clock):
    return make_friend("小花")


def words(answer):
    text = re.sub(r"<style.*?</style>|<[^>]+>", " ", answer.text, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", text))


def tags_of(friend):
    rows = FriendTag.select(FriendTag, Tag).join(Tag).where(FriendTag.friend == friend.id)
    return sorted(row.tag.name for row in rows)


def test_answering_tags_the_friend_and_sending_the_form_twice_is_one_answer(client, hana):
    survey = make_survey(intro="三題就好。", thanks="謝謝你！")
    address, keys = path_of(link_of(survey, hana)), keys_of(survey)
    page = client.get(address)
    assert len(page.data) < 60_000
    for piece in ("興趣小調查", "三題就好。", "平常喜歡什麼？", "遊戲", "（必填）"):
        assert piece in words(page)
    form = {keys["平常喜歡什麼？"]: [keys["遊戲"], keys["旅遊"]]}
    for _tap in range(2):
        answer = client.post(address, data=form)
        assert (answer.status_code, answer.location) == (303, address)
    assert SurveyAnswer.select().count() == Survey.get().answers == 1
    assert tags_of(hana) == ["愛旅遊", "愛玩遊戲"]
    assert {row.by_kind for row in FriendTag.select()} == {"survey"}
    assert Fact.get(Fact.kind == "survey.answered").object_id == survey.id
    assert Friend.get_by_id(hana.id).last_seen_at == NOON
    page = client.get(address)
    assert "謝謝你！" in words(page)
    assert "送出" not in words(page)
    assert SurveyOpening.select().count() == 1


def test_the_gift_is_given_once_however_often_she_answers(client, hana):
    make_coupon(code="tea", title="紅茶一杯", per_friend=5)
    survey = make_survey(SCORE, coupon="tea", repeat="sending")
    form = {keys_of(survey)[SCORE.text]: "5"}
    first, second = (path_of(link_of(survey, hana, "step", 7, place)) for place in (1, 2))
    for address in (first, first, second):
        client.post(address, data=form)
    assert SurveyAnswer.select().count() == 2
    [copy] = CouponIssue.select()
    assert (copy.origin, copy.origin_id) == ("survey", survey.id)
    CouponIssue.update(redeemed_at=NOON).execute()
    client.post(path_of(link_of(survey, hana, "step", 7, 3)), data=form)
    assert CouponIssue.select().count() == 1
    assert f"/c/{copy.token}" in client.get(second).text
    edit(Survey.get(), gift_each=True)
    client.post(path_of(link_of(survey, hana, "step", 7, 4)), data=form)
    assert CouponIssue.select().count() == 2


def test_a_gift_that_has_run_out_keeps_the_answer_and_is_told(client, hana):
    make_coupon(code="tea", title="紅茶一杯", stock=0)
    survey = make_survey(coupon="tea")
    address, keys = path_of(link_of(survey, hana)), keys_of(survey)
    client.post(address, data={keys["平常喜歡什麼？"]: keys["其他"]})
    assert SurveyAnswer.get().no_gift == "stock"
    assert "送完" in words(client.get(address))


def test_what_she_tells_about_herself_is_kept_as_her_own_word(client, hana):
    Friend.update(gender="male", gender_origin="csv").execute()
    Field.create(key="allergy", name="過敏", type="choice", choices=["無", "花生"])
    survey = make_survey(
        QuestionPlan("出生年", "birth_year"),
        QuestionPlan("性別", "gender"),
        QuestionPlan("住哪裡", "region"),
        QuestionPlan("過敏", "field", field="allergy"),
        QuestionPlan("一週吃幾次", "number"),
        QuestionPlan("哪天方便", "date"),
        WORDS,
    )
    keys = keys_of(survey)
    said = {
        "出生年": "1998",
        "性別": "female",
        "住哪裡": "tw_04",
        "過敏": "花生",
        "一週吃幾次": "2.5",
        "哪天方便": "2026-12-01",
        WORDS.text: "好吃",
    }
    data = {keys[text]: value for text, value in said.items()}
    client.post(path_of(link_of(survey, hana)), data=data)
    friend = Friend.get_by_id(hana.id)
    assert (friend.birth_year, friend.gender, friend.region) == (1998, "female", "tw_04")
    assert {friend.birth_origin, friend.gender_origin, friend.region_origin} == {"self"}
    assert (FriendField.get().text, FriendField.get().origin) == ("花生", "self")
    told = Fact.get(Fact.kind == "attribute.set").value
    assert told["by"] == "self"
    assert told["set"]["allergy"] == "花生"
    assert SurveyReply.select().count() == len(said)


def test_mistakes_come_back_beside_their_questions_with_everything_that_was_typed(client, hana):
    survey = make_survey(INTERESTS, QuestionPlan("出生年", "birth_year"), WORDS)
    keys = keys_of(survey)
    address = path_of(link_of(survey, hana))
    form = {keys["出生年"]: "88", keys[WORDS.text]: "加油 <b>"}
    refused = client.post(address, data=form)
    assert refused.status_code == 400
    assert "請至少選一項" in words(refused)
    assert "請填四位數" in words(refused)
    assert 'value="88"' in refused.text
    assert "加油 &lt;b&gt;" in refused.text
    forged = client.post(address, data=form | {keys["平常喜歡什麼？"]: "c99", keys["出生年"]: ""})
    assert forged.status_code == 400
    assert not SurveyAnswer.select().exists()
    assert not FriendTag.select().exists()


def test_a_forged_or_foreign_link_opens_nothing_and_guessing_is_slowed(client, hana):
    survey = make_survey()
    address = path_of(link_of(survey, hana))
    for forged in (
        re.sub(r"-\d+-(\d+)-", f"-{make_friend().id}-\\1-", address),
        re.sub(r"-(\d+)-(\d+)-", r"-\1-99-", address),
        "/c/s/nonsense",
    ):
        assert client.get(forged).status_code == 404
        assert client.post(forged).status_code == 404
    for _try in range(throttle.ADDRESS.misses):
        client.get("/c/s/nonsense")
    assert client.get(address).status_code == 429


def test_only_an_open_survey_takes_answers(client, hana, clock):
    survey = make_survey(starts_at=NOON + timedelta(days=1), ends_at=NOON + timedelta(days=2))
    address, keys = path_of(link_of(survey, hana)), keys_of(survey)
    form = {keys["平常喜歡什麼？"]: keys["遊戲"]}
    assert "開始" in words(client.get(address))
    assert client.post(address, data=form).status_code == 400
    clock.forward(days=1)
    assert "送出" in words(client.get(address))
    actions.close(survey.id, staff=None, wall=NOON)
    assert "問卷已經結束" in words(client.get(address))
    refused = client.post(address, data=form)
    assert refused.status_code == 400
    assert "問卷已經結束" in words(refused)
    actions.open_up(survey.id, staff=None, wall=NOON)
    clock.forward(days=1)
    assert "問卷已經結束" in words(client.get(address))
    assert not SurveyAnswer.select().exists()


def test_who_has_blocked_us_is_asked_to_add_us_first(client, hana):
    survey = make_survey()
    Friend.update(status="blocked").execute()
    keys = keys_of(survey)
    refused = client.post(
        path_of(link_of(survey, hana)), data={keys["平常喜歡什麼？"]: keys["遊戲"]}
    )
    assert refused.status_code == 400
    assert "先加入" in words(refused)
    assert "checked" in refused.text


def test_the_page_speaks_the_friends_language(client, clock):
    survey = make_survey()
    kenji = make_friend("健二", language="ja")
    page = client.get(path_of(link_of(survey, kenji)), headers={"Accept-Language": "en"})
    assert 'lang="ja"' in page.text
    assert "回答を送る" in words(page)


def test_a_test_send_is_judged_and_keeps_nothing(client, hana):
    survey = make_survey(coupon="")
    address, keys = path_of(link_of(survey, hana, "test")), keys_of(survey)
    assert client.post(address).status_code == 400
    done = client.post(address, data={keys["平常喜歡什麼？"]: keys["遊戲"]})
    assert "測試" in words(done)
    assert not SurveyAnswer.select().exists()
    assert not SurveyOpening.select().exists()


def test_a_later_answer_takes_the_tag_of_the_earlier_one_off(client, hana):
    happy = QuestionPlan(
        "滿意嗎？",
        "one",
        choices=(ChoicePlan("滿意", ("愛玩遊戲",)), ChoicePlan("不滿意", ("愛旅遊",))),
    )
    survey = make_survey(happy, repeat="sending")
    keys = keys_of(survey)
    for place, said in ((1, "滿意"), (2, "不滿意")):
        address = path_of(link_of(survey, hana, "step", 7, place))
        client.post(address, data={keys["滿意嗎？"]: keys[said]})
    assert tags_of(hana) == ["愛旅遊"]


def test_answers_to_the_questions_she_saw_are_kept_under_those(client, hana):
    survey = make_survey()
    keys = keys_of(survey)
    other = make_friend()
    client.post(path_of(link_of(survey, other)), data={keys["平常喜歡什麼？"]: keys["遊戲"]})
    edit(Survey.get(), questions=(SCORE,))
    assert Survey.get().revision == 2
    client.post(
        path_of(link_of(survey, hana)),
        data={"revision": "1", keys["平常喜歡什麼？"]: keys["旅遊"]},
    )
    assert [row.revision for row in SurveyAnswer.select().order_by(SurveyAnswer.id)] == [1, 1]
    assert tags_of(hana) == ["愛旅遊"]


def test_many_taps_at_the_same_moment_are_one_answer_and_one_gift(db):
    make_coupon(code="tea", per_friend=5)
    survey = make_survey(SCORE, coupon="tea", repeat="sending")
    friend, key = make_friend(), keys_of(survey)[SCORE.text]
    # Two messages, two taps on each: two answers, one gift.
    links = [link_of(survey, friend, "step", 7, place) for place in (1, 2)] * 2
    together, outcomes = threading.Barrier(len(links)), []

    def tap(link):
        database.ensure_connection()
        try:
            together.wait()
            outcomes.append(take(link, {key: ["5"]}, revision=1, now=NOON) is not None)
        except NotTaken as refused:
            outcomes.append(refused.outcome)
        finally:
            database.db.close()

    threads = [threading.Thread(target=tap, args=(link,)) for link in links]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["True", "True", "already", "already"]
    assert SurveyAnswer.select().count() == Survey.get().answers == 2
    assert CouponIssue.select().count() == 1


def test_questions_reworded_while_somebody_answers_are_new_ones(db, monkeypatch):
    survey = make_survey(SCORE)
    keys, threads = keys_of(survey), []

    def reword():
        database.ensure_connection()
        edit(survey, questions=(replace(SCORE, text="店員給幾分？", key=keys[SCORE.text]),))
        database.db.close()

    def meanwhile(*args):
        threads.append(threading.Thread(target=reword))
        threads[0].start()
        threads[0].join(0.5)  # it must not get in between
        keep(*args)

    keep = answer._keep
    monkeypatch.setattr(answer, "_keep", meanwhile)
    take(link_of(survey, make_friend()), {keys[SCORE.text]: ["5"]}, revision=1, now=NOON)
    threads[0].join()
    answered = questions_of(survey, SurveyAnswer.get().revision)
    assert [one.text for one in answered] == [SCORE.text]
    assert [one.text for one in questions_of(Survey.get())] == ["店員給幾分？"]
