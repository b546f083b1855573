"""LINE's own coupons: made, listed, closed and sent, against a pretend LINE as strict as LINE."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin import config as configuration
from lineadmin import settings, shopfile
from lineadmin.errors import DomainError
from lineadmin.line.gateway import Gateway
from lineadmin.line_coupons import actions
from lineadmin.line_coupons.models import LineCoupon
from lineadmin.line_coupons.offer import LineOffer, request_of
from lineadmin.messages.check import check_parts
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.prepare import Item, prepare
from lineadmin.messages.references import look_up
from lineadmin.staff.models import Audit
from tests import openapi
from tests.conftest import NOON, PATIENCE
from tests.factories import make_friend
from tests.panel import flashes_of, panel_of


@pytest.fixture
def gateway(db, line, line_config):
    configuration.use(line_config)
    made = Gateway(line_config, connect=PATIENCE, read=PATIENCE)
    yield made
    made.close()


def wall():
    return shop_clock.wall().replace(microsecond=0)


def offer(**more: Any) -> LineOffer:
    values: dict[str, Any] = {
        "title": "雙拼便當 8 折",
        "starts_at": wall() - timedelta(days=1),
        "ends_at": wall() + timedelta(days=30),
        "value": 20,
    }
    return LineOffer(**values | more)


def make(gateway: Gateway, **more: Any) -> LineCoupon:
    return actions.create(offer(**more), gateway=gateway, staff=None, wall=wall())


SHAPES: list[dict[str, Any]] = [
    {},
    {"price": "fixed", "value": 50},
    {"price": "explicit", "price_before": 120, "price_after": 99},
    {"reward": "cashBack", "value": 5},
    {"reward": "cashBack", "price": "fixed", "value": 30},
    {"reward": "free"},
    {"reward": "gift", "description": "紅茶\n一杯", "usage_condition": "滿 NT$100"},
    {"reward": "others", "coupon_code": "BENTO-2026", "image_url": "https://shop.example/a.png"},
    {"lottery": True, "probability": 10, "most_winners": 50},
    {"lottery": True, "probability": 99, "use_once": False, "public": True},
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_shape_is_taken_by_line_and_as_published(gateway, line, shape):
    made = make(gateway, **shape)
    assert made.state == "running"
    detail = gateway.coupon(made.line_id)
    assert (detail["title"], detail["status"]) == ("雙拼便當 8 折", "RUNNING")
    assert detail["timezone"] == "ASIA_TAIPEI"
    assert Audit.get(Audit.action == "line_coupon.create").object_label == made.title


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "字" * 61}, "title"),
        ({"description": "字" * 1001}, "description"),
        ({"usage_condition": "字" * 101}, "usage_condition"),
        ({"coupon_code": "x" * 17}, "coupon_code"),
        ({"image_url": "http://shop.example/a.png"}, "image_url"),
        ({"image_url": "https://shop.example/" + "a" * 2000}, "image_url"),
        ({"starts_at": None}, "starts_at"),
        ({"ends_at": None}, "ends_at"),
        ({"ends_at": NOON - timedelta(days=400)}, "ends_at"),
        ({"value": 0}, "value"),
        ({"value": 100}, "value"),
        ({"price": "fixed", "value": None}, "value"),
        ({"price": "explicit", "price_before": 90, "price_after": 90}, "price_after"),
        ({"price": "explicit", "price_after": 90}, "price_before"),
        ({"reward": "cashBack", "price": "explicit"}, "price"),
        ({"reward": "surprise"}, "reward"),
        ({"lottery": True, "probability": 100}, "probability"),
        ({"lottery": True, "probability": 10, "most_winners": 1_000_000}, "most_winners"),
    ],
)
def test_what_line_would_refuse_is_refused_here_with_its_field(db, more, field):
    with pytest.raises(DomainError) as refused:
        request_of(offer(**more), timezone="Asia/Taipei", wall=wall())
    assert refused.value.field == field
    assert str(refused.value)


def test_a_time_zone_line_does_not_know_is_told(db):
    with pytest.raises(DomainError, match="Asia/Seoul"):
        request_of(offer(), timezone="Asia/Seoul", wall=wall())


def test_closing_is_for_good_and_twice_is_no_matter(gateway):
    made = make(gateway)
    actions.close(made.id, gateway=gateway, staff=None, wall=wall())
    assert LineCoupon.get().state == "closed"
    assert gateway.coupon(made.line_id)["status"] == "CLOSED"
    LineCoupon.update(state="running").execute()
    actions.close(made.id, gateway=gateway, staff=None, wall=wall())  # LINE: 410
    assert LineCoupon.get().state == "closed"


def test_coupons_made_elsewhere_are_learned_page_by_page_and_closed_ones_seen(gateway):
    mine = make(gateway)
    body = request_of(offer(title="官方後台的券"), timezone="Asia/Taipei", wall=wall())
    for _number in range(101):
        gateway.create_coupon(json.dumps(body).encode())
    found = actions.refresh(gateway=gateway, wall=wall())
    assert (found.running, found.learned, found.closed) == (102, 100, 0)
    found = actions.refresh(gateway=gateway, wall=wall())
    assert (found.running, found.learned) == (102, 1)
    assert LineCoupon.select().where(~LineCoupon.made_here).count() == 101
    gateway.close_coupon(mine.line_id)
    assert actions.refresh(gateway=gateway, wall=wall()).closed == 1
    assert LineCoupon.get_by_id(mine.id).state == "closed"


def test_an_answer_that_was_lost_is_found_again_and_never_asked_twice(gateway, line):
    line.client.fail("drop_after", endpoint="coupon_create")
    with pytest.raises(DomainError):
        make(gateway)
    assert LineCoupon.get().state == "unclear"
    actions.refresh(gateway=gateway, wall=wall())
    row = LineCoupon.get()
    assert (row.state, row.made_here) == ("running", True)
    assert gateway.coupon(row.line_id)["title"] == row.title


def test_what_line_never_made_is_forgotten_with_the_next_look(gateway, line):
    line.client.fail("500", endpoint="coupon_create")
    with pytest.raises(DomainError):
        make(gateway)
    actions.refresh(gateway=gateway, wall=wall())
    assert LineCoupon.get().state == "unclear"  # it may still be on its way
    actions.refresh(gateway=gateway, wall=wall() + timedelta(minutes=3))
    assert not LineCoupon.select().exists()


def test_a_refusal_leaves_nothing_behind(gateway, line):
    line.client.fail("429", endpoint="coupon_create")
    with pytest.raises(DomainError):
        make(gateway)
    assert not LineCoupon.select().exists()


# In messages --------------------------------------------------------------------------------


def ready(parts: Any, now: Any = None) -> Any:
    item = Item(make_friend().id, None, parts, "broadcast", 1)
    return prepare([item], public_url=None, now=now or wall())[0]


def test_it_goes_as_a_coupon_message_without_any_address_of_ours(gateway):
    made = make(gateway)
    parts = parse_parts([{"line_coupon": made.line_id}])
    assert check_parts(parts, references=look_up(parts), now=wall(), public_url=None) == []
    prepared = ready(parts)
    assert prepared.messages == [{"type": "coupon", "couponId": made.line_id}]
    gateway.validate("push", prepared.messages)


def test_one_that_is_over_or_unknown_is_left_out_with_its_reason(gateway):
    made = make(gateway)
    parts = parse_parts([{"text": "嗨"}, {"line_coupon": made.line_id}, {"line_coupon": "01X"}])
    problems = check_parts(parts, references=look_up(parts), now=wall(), public_url=None)
    assert [problem.part_index for problem in problems] == [2]
    later = wall() + timedelta(days=31)
    prepared = ready(parts, later)
    assert [message["type"] for message in prepared.messages] == ["text"]
    assert [one.reason for one in prepared.dropped] == ["line_coupon_over", "deleted"]
    problems = check_parts(parts, references=look_up(parts), now=later, public_url=None)
    assert [problem.part_index for problem in problems] == [1, 2]


# The pretend LINE is as strict as the published files ------------------------------------------


def test_requests_and_answers_are_as_published(gateway, line):
    bodies = [request_of(offer(**shape), timezone="Asia/Taipei", wall=wall()) for shape in SHAPES]
    asked: list[tuple[str, str, Any]] = [("POST", "/v2/bot/coupon", body) for body in bodies]
    made = make(gateway).line_id
    asked += [
        ("GET", "/v2/bot/coupon?status=RUNNING&limit=5", None),
        ("GET", "/v2/bot/coupon?status=CLOSED&status=DRAFT", None),
        ("GET", f"/v2/bot/coupon/{made}", None),
        ("PUT", f"/v2/bot/coupon/{made}/close", None),
        ("PUT", f"/v2/bot/coupon/{made}/close", None),
        ("GET", "/v2/bot/coupon/nothing", None),
    ]
    statuses = []
    for method, path, body in asked:
        data = None if body is None else json.dumps(body).encode()
        headers = {
            "Authorization": "Bearer channel-token-of-the-tests",
            "Content-Type": "application/json",
        }
        answer = gateway._pool.request(method, line.base_url + path, body=data, headers=headers)
        statuses.append(answer.status)
        openapi.check_request(method, path, body)
        openapi.check_answer(method, path, answer.status, answer.data)
    assert statuses == [200] * (len(SHAPES) + 4) + [410, 404]


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"reward": None},
        {"reward": {"type": "free", "priceInfo": {"type": "fixed", "fixedAmount": 5}}},
        {"reward": {"type": "cashBack", "priceInfo": {"type": "explicit"}}},
        {"maxUseCountPerTicket": 2},
        {"timezone": "Asia/Taipei"},
        {"endTimestamp": 5},
        {"visibility": "PRIVATE"},
        {"acquisitionCondition": {"type": "lottery"}},
        {"acquisitionCondition": {"type": "referral"}},
        {"couponCode": "x" * 17},
        {"color": "red"},
    ],
    ids=str,
)
def test_the_pretend_line_refuses_what_line_refuses(gateway, change):
    from lineadmin.line.errors import LineRefused

    body = request_of(offer(), timezone="Asia/Taipei", wall=wall()) | change
    with pytest.raises(LineRefused) as refused:
        gateway.create_coupon(json.dumps(body).encode())
    assert refused.value.status == 400
    assert refused.value.details


# The screen ---------------------------------------------------------------------------------

TYPED = {"title": "雙拼 8 折", "reward": "discount", "price": "percentage", "value": "20"}
DAYS = {"first_day": "2026-11-01", "last_day": "2099-12-31", "use_once": "y"}


@pytest.fixture
def manager(line, app, clock):
    return panel_of(app, "manager")


def test_one_is_made_listed_and_closed_on_screen(manager):
    page = manager.get("/admin/line_coupons/new/").text
    assert "誰領取、誰抽中、誰使用" in page
    answer = manager.post("/admin/line_coupons/new/", TYPED | DAYS)
    assert answer.status_code == 302, flashes_of(answer.text)
    listed = manager.get("/admin/line_coupons/").text
    assert "雙拼 8 折" in listed
    assert "20%" in listed
    row = LineCoupon.get()
    asked = manager.post("/admin/line_coupons/close/", {"id": row.id})
    assert "收回" in asked.text
    manager.post("/admin/line_coupons/close/", {"id": row.id, "confirmed": "1"})
    assert LineCoupon.get().state == "closed"
    refreshed = manager.post("/admin/line_coupons/refresh/", follow_redirects=True)
    assert "LINE 上有 0 張" in flashes_of(refreshed.text)[-1]


def test_a_mistake_comes_back_beside_its_field_and_line_is_not_asked(manager, line):
    answer = manager.post("/admin/line_coupons/new/", TYPED | DAYS | {"value": "120"})
    assert answer.status_code == 400
    assert "1 到 99" in answer.text
    assert line.client.counters().get("coupon_create.requests", 0) == 0


def test_viewers_only_read(line, app, clock):
    viewer = panel_of(app, "viewer")
    assert viewer.get("/admin/line_coupons/").status_code == 200
    assert viewer.get("/admin/line_coupons/new/").status_code == 403
    assert viewer.post("/admin/line_coupons/refresh/").status_code == 403
    assert settings.shop().timezone == "Asia/Taipei"


# The shop file ------------------------------------------------------------------------------

FILE = """
version: 1
line_coupons:
  - {title: 雙拼 8 折, benefit: {type: discount, percent: 20}, from: 2026-11-01, until: 2099-12-31,
     draw: {percent: 10, winners: 50}, once: false, code: BENTO, condition: 滿 NT$100}
  - {title: 紅茶, benefit: {type: gift}, from: 2026-11-01, until: "2099-12-31T12:00:00+08:00"}
"""


def load(text: str) -> Any:
    return shopfile.load(text, staff=None, now=NOON, wall=wall())


def asked_of(line: Any) -> int:
    return int(line.client.counters().get("coupon_create.requests", 0))


def test_a_file_makes_drafts_and_line_hears_of_them_only_when_staff_make_them(manager, line):
    load(FILE)
    assert not load(FILE).created
    assert [row.state for row in LineCoupon.select()] == ["draft", "draft"]
    assert asked_of(line) == 0
    assert not actions.sendable(wall())
    listed = manager.get("/admin/line_coupons/").text
    assert "草稿" in listed
    bento = LineCoupon.get(LineCoupon.title == "雙拼 8 折")
    address = f"/admin/line_coupons/new/?draft={bento.id}"
    form = manager.get(address)
    assert 'value="BENTO"' in form.text
    assert 'value="2099-12-31"' in form.text
    typed = TYPED | DAYS | {"lottery": "y", "probability": "10", "most_winners": "50"}
    assert manager.post(address, typed).status_code == 302
    assert manager.post(address, typed).status_code == 404  # a second tab: it is made
    assert asked_of(line) == 1
    made = LineCoupon.get(LineCoupon.id == bento.id)
    assert (made.state, made.probability) == ("running", 10)
    assert actions.sendable(wall()) == [made]


def test_what_is_dumped_loads_as_the_same_and_here_changes_nothing(manager, line, gateway):
    load(FILE)
    for number, shape in enumerate(SHAPES):
        made = make(gateway, **shape | {"title": f"第 {number} 張"})
    actions.close(made.id, gateway=gateway, staff=None, wall=wall())
    written = shopfile.dump()
    asked = asked_of(line)
    again = load(written)
    assert "LINE coupon" not in {section for section, _name in [*again.created, *again.changed]}
    told = shopfile.as_data()["line_coupons"]
    assert len(told) == 2 + len(SHAPES) - 1  # what is closed is over for good
    LineCoupon.delete().execute()
    load(written)
    assert shopfile.as_data()["line_coupons"] == told
    assert {row.state for row in LineCoupon.select()} == {"draft"}
    assert asked_of(line) == asked


def test_a_file_cannot_change_what_line_has(manager, gateway):
    make(gateway)
    [told] = shopfile.as_data()["line_coupons"]
    other = told | {"benefit": {"type": "discount", "percent": 30}}
    with pytest.raises(DomainError, match="不能再更改"):
        load(json.dumps({"version": 1, "line_coupons": [other]}))
    assert LineCoupon.select().count() == 1


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"title": "字" * 61}, "title"),
        ({"until": "2026-10-01"}, "until"),
        ({"until": "9999-12-31"}, "until"),
        ({"benefit": {"type": "discount"}}, "benefit"),
        ({"benefit": {"type": "gift", "amount": 5}}, "benefit"),
        ({"benefit": {"type": "discount", "percent": 20, "amount": 5}}, "benefit"),
        ({"benefit": {"type": "discount", "before": 90, "after": 90}}, "after"),
        ({"draw": {"percent": 100}}, "percent"),
        ({"picture": "http://x.example/a.png"}, "picture"),
        ({"colour": "red"}, "colour"),
    ],
    ids=str,
)
def test_a_mistake_in_a_file_names_its_place_and_leaves_nothing(db, more, place):
    item = {
        "title": "雙拼便當 8 折",
        "benefit": {"type": "discount", "percent": 20},
        "from": "2026-11-01",
        "until": "2099-12-31",
    } | more
    with pytest.raises(DomainError) as refused:
        load(json.dumps({"version": 1, "line_coupons": [item]}, indent=1))
    assert place in str(refused.value)
    assert LineCoupon.select().count() == 0


def test_a_draft_can_be_thrown_away_and_stays_when_line_refuses(manager, line):
    load(FILE)
    bento, tea = LineCoupon.select().order_by(LineCoupon.id)
    line.client.fail("429", endpoint="coupon_create")
    refused = manager.post(f"/admin/line_coupons/new/?draft={tea.id}", TYPED | DAYS)
    assert refused.status_code == 400
    assert LineCoupon.get(LineCoupon.id == tea.id).state == "draft"
    asked = manager.post("/admin/line_coupons/drop/", {"id": bento.id})
    assert "要刪除草稿" in asked.text
    manager.post("/admin/line_coupons/drop/", {"id": bento.id, "confirmed": "1"})
    assert [row.id for row in LineCoupon.select()] == [tea.id]
    assert Audit.get(Audit.action == "line_coupon.delete").object_label == "雙拼 8 折"
