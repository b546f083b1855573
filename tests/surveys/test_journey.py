"""From the card on a phone to the numbers on the screen, through the doors everybody uses."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from lineadmin import segments
from lineadmin.coupons.models import CouponIssue
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.messages.check import check_parts
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.prepare import Item, prepare
from lineadmin.messages.references import look_up
from lineadmin.outbox import content
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import queue_one
from lineadmin.segments.compile import where
from lineadmin.surveys import actions
from lineadmin.surveys.links import read_token
from lineadmin.surveys.models import Survey, SurveyAnswer, SurveySending
from lineadmin.surveys.sendings import sending_of, sent_counts
from tests.conftest import NOON
from tests.coupons.making import make_coupon
from tests.factories import make_friend
from tests.inbox.conftest import inbox, shop  # noqa: F401 - fixtures
from tests.panel import panel_of
from tests.sequences.playing import play
from tests.sequences.stage import TAIPEI, publish
from tests.surveys.making import SCORE, WORDS, keys_of, link_of, make_survey, path_of


class Phone:
    """A friend's phone: what arrives there, and the browser inside LINE."""

    def __init__(self, app: Any, line: Any, name: str) -> None:
        self.line, self.client = line.client, app.test_client()
        self.user = str(self.line.add_phone(name, status="stranger")["user_id"])

    def opens(self) -> str:
        """The path behind the button of the latest card."""
        return urlsplit(self.line.tap(self.user, "填寫問卷")["open"]).path

    def answers(self, path: str, **said: Any) -> Any:
        """She opens the page and sends what she filled in."""
        assert self.client.get(path).status_code == 200
        return self.client.post(path, data=said)


@pytest.fixture
def stage(app, live, line, clock):
    """Moves the shop on to a day, with all the worker does until then."""

    def until(days: int) -> None:
        later = clock() + timedelta(days=days)
        play(clock(), later)
        clock.set(later)

    return until


def test_a_card_in_the_greeting_tags_the_friend_and_gives_one_coupon(app, clock, shop):  # noqa: F811
    make_coupon(code="tea", title="紅茶一杯")
    survey = make_survey(code="interests", coupon="tea")
    keys = keys_of(survey)
    shop.greet({"text": "歡迎"}, {"survey": "interests"})
    phone = Phone(app, type("Line", (), {"client": shop.line}), "小花")
    shop.line.follow(phone.user)
    shop.settle()
    [_hello, card] = shop.line.messages(phone.user)
    assert "填完送：紅茶一杯" in str(card)
    path = phone.opens()
    for _tap in range(2):
        phone.client.post(path, data={keys["平常喜歡什麼？"]: keys["遊戲"]})
    friend = Friend.get(Friend.line_user_id == phone.user)
    [tagged] = FriendTag.select(FriendTag, Tag).join(Tag)
    assert (tagged.friend_id, tagged.tag.name) == (friend.id, "愛玩遊戲")
    assert SurveyAnswer.select().count() == CouponIssue.select().count() == 1
    assert "打開您的禮物" in phone.client.get(path).text
    story = panel_of(app, "manager").get(f"/admin/friends/{friend.id}/").text
    for piece in ("回答了問卷", "興趣小調查", "遊戲", "由問卷設定", "回答問卷的贈禮"):
        assert piece in story


def test_a_monthly_survey_is_answered_step_by_step_and_read_by_step_and_month(
    app, line, clock, stage
):
    survey = make_survey(SCORE, WORDS, code="monthly", title="月滿意度", repeat="sending")
    key = keys_of(survey)[SCORE.text]
    asks = [{"text": "這個月呢？"}, {"survey": "monthly"}]
    publish(
        *({"after_days": 30, "at": "18:30", "messages": asks} for _month in range(2)),
        name="月滿意度",
        now=NOON,
    )
    phones = [Phone(app, line, name) for name in ("小花", "太郎")]
    for phone in phones:
        phone.line.follow(phone.user)
        assert phone.line.wait_for_events()
    opened = []
    for scores in (("5", "3"), ("4", None)):
        stage(31)
        for phone, score in zip(phones, scores, strict=True):
            path = phone.opens()
            opened.append(path)
            if score is not None:
                assert phone.answers(path, **{key: score}).status_code == 303
                assert phone.answers(path, **{key: "1"}).status_code == 303
    assert len(set(opened)) == 4
    assert SurveyAnswer.select().count() == 3
    page = panel_of(app, "manager").get(f"/admin/surveys/details/?id={survey.id}").text
    rows = re.findall(r"<tr>(.*?)</tr>", page.split("依訊息來源")[1], re.S)
    cells = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows[1:3]]
    assert cells == [
        "「月滿意度」第 1 步 2 2 100% 2 100% 4.0",
        "「月滿意度」第 2 步 2 1 50% 1 50% 4.0",
    ]
    for piece in ("2026/12", "2027/01"):
        assert piece in page


def test_the_card_carries_each_friends_own_link_and_knows_its_sending(db):
    survey = make_survey(code="interests")
    parts = parse_parts([{"survey": "interests"}])
    friends = [make_friend().id, make_friend().id]
    items = [Item(one, None, parts, "broadcast", 5) for one in friends]
    items.append(Item(friends[0], None, parts, "step", 7, 2))
    prepared = prepare(items, public_url="https://shop.example", now=NOON)
    links = []
    for one in prepared:
        token = str(one.messages).split("https://shop.example/c/s/")[1].split("'")[0]
        links.append(read_token(token))
    assert [link.friend_id for link in links] == [*friends, friends[0]]
    assert [(one.sending.origin, one.sending.origin_id, one.sending.place) for one in links] == [
        ("broadcast", 5, 0),
        ("broadcast", 5, 0),
        ("step", 7, 2),
    ]
    prepare(items, public_url="https://shop.example", now=NOON + timedelta(days=1))
    assert SurveySending.select().where(SurveySending.survey == survey.id).count() == 2


def test_a_reply_is_told_apart_by_its_month(db):
    make_survey(code="interests")
    parts = parse_parts([{"survey": "interests"}])
    item = Item(make_friend().id, None, parts, "reply", 3)
    for days in (0, 1, 30):
        prepare([item], public_url="https://x", now=NOON + timedelta(days=days))
    assert [row.place for row in SurveySending.select().order_by(SurveySending.id)] == [
        202611,
        202612,
    ]


def test_a_survey_that_is_over_is_left_out_of_the_message_with_its_reason(db):
    survey = make_survey(code="interests", ends_at=NOON + timedelta(days=1))
    parts = parse_parts([{"text": "嗨"}, {"survey": "interests"}, {"survey": "gone"}])
    item = Item(make_friend().id, None, parts, "broadcast", 1)
    [prepared] = prepare([item], public_url="https://x", now=NOON + timedelta(days=1))
    assert [message["type"] for message in prepared.messages] == ["text"]
    assert [one.reason for one in prepared.dropped] == ["survey_over", "deleted"]
    assert not SurveySending.select().exists()
    told = [one.sentence for one in check_parts(parts, references=look_up(parts), now=NOON)]
    assert told == ["沒有「gone」這份問卷。"]
    actions.close(survey.id, staff=None, wall=NOON)
    Survey.update(state="draft").execute()
    told = [one.sentence for one in check_parts(parts, references=look_up(parts), now=NOON)]
    assert "還是草稿" in told[0]


def test_conditions_ask_who_has_answered(app, clock):
    survey = make_survey(code="interests")
    keys = keys_of(survey)
    hana, taro = make_friend("小花"), make_friend("太郎")
    app.test_client().post(
        path_of(link_of(survey, hana)), data={keys["平常喜歡什麼？"]: keys["其他"]}
    )

    def fitting(tree):
        parsed = segments.parse(tree)
        segments.check_names(parsed)
        fits = where(parsed, now=clock(), zone=TAIPEI)
        return {row.id for row in Friend.select(Friend.id).where(fits)}

    leaf = {"field": "survey:interests", "op": "is", "value": "answered"}
    assert fitting(leaf) == {hana.id}
    assert fitting(leaf | {"value": "not"}) == {taro.id}
    assert fitting({"field": "fact:survey.answered", "op": "is", "value": "interests"}) == {hana.id}
    assert segments.sentence(leaf) == "回答過問卷「興趣小調查」"
    clock.forward(days=10)
    assert fitting(leaf | {"within_days": 5}) == set()
    assert segments.sentence(leaf | {"within_days": 5, "value": "not"}) == (
        "沒有回答問卷「興趣小調查」（近 5 天）"
    )


def test_what_is_sent_at_midnight_of_the_first_counts_in_one_month(db):
    survey = make_survey(code="interests")
    months = (NOON, NOON + timedelta(days=30))
    sendings = [sending_of(survey, "staff", 0, 0, now=month) for month in months]
    midnight = datetime(2026, 12, 1, tzinfo=TAIPEI)
    message = content.store([{"survey": "interests"}], personal=True, summary="", now=NOON)
    queue_one(
        make_friend().id, Origin(OriginKind.STAFF, 0, 1), message, due_at=midnight, now=midnight
    )
    Delivery.update(state=DeliveryState.SENT, done_at=midnight).execute()
    assert list(sent_counts(sendings).values()) == [0, 1]
