import io
import json

import pytest
from flask import render_template_string
from PIL import Image
from playwright.sync_api import expect

from lineadmin import clock as shop_clock
from lineadmin.coupons.models import Coupon
from lineadmin.friends.tags import create_tag
from lineadmin.messages.models import Upload
from lineadmin.messages.parts import QuickReplies, QuickReply, Text
from lineadmin.messages.uploads import store
from lineadmin.staff.models import Audit
from lineadmin.staff.passwords import hash_password
from tests import browse
from tests.admin import composing
from tests.conftest import NOON
from tests.factories import make_staff

PASSWORD = "correct horse battery"
DRAFT = [
    {"text": "{name} 週一快樂！"},
    {"coupon": "bento20"},
    {
        "quick_replies": [
            {"label": "看菜單", "text": "菜單"},
            {"label": "停", "postback": "opt_out"},
        ]
    },
]


def picture(size=(800, 600)):
    file = io.BytesIO()
    Image.new("RGB", size, (200, 120, 40)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def coupon(app):
    return Coupon.create(
        code="bento20",
        title="雙拼便當 8 折",
        benefit="percent",
        benefit_value=20,
        valid_days=7,
        created_at=NOON,
    )


@pytest.fixture
def signed_in(app, client):
    """Answers a client that is signed in as somebody of the role it is called with."""
    app.config["WTF_CSRF_ENABLED"] = False
    app.config["SESSION_COOKIE_SECURE"] = False

    def enter(role="manager"):
        staff = make_staff(role, password_hash=hash_password(PASSWORD))
        client.post("/admin/sign-in", data={"email": staff.email, "password": PASSWORD})
        return client

    return enter


# The doors ---------------------------------------------------------------------------------------


def test_a_draft_is_drawn_and_checked(signed_in, coupon):
    answer = signed_in().post(
        "/admin/composer/preview", json={"parts": [*DRAFT[:2], {"text": ""}], "name": "小花"}
    )
    assert answer.status_code == 200
    assert [message["type"] for message in answer.json["messages"]] == ["text", "flex", "text"]
    assert answer.json["messages"][0]["text"] == "小花 週一快樂！"
    assert answer.json["problems"] == [
        {"part": 2, "field": "text", "sentence": "請輸入文字，或刪除這一則。"}
    ]
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("body", ["", "[]", "{", "null", "5"])
def test_what_is_no_draft_is_refused(signed_in, body):
    answer = signed_in().post("/admin/composer/preview", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["error"]


def test_any_parts_are_answered(signed_in):
    for parts in (None, 5, "x", [{"txt": 1}], [[]]):
        answer = signed_in().post("/admin/composer/preview", json={"parts": parts})
        assert answer.status_code == 200
        assert answer.json["problems"]


@pytest.mark.parametrize("role", ["viewer", "staff"])
@pytest.mark.parametrize("door", ["preview", "upload"])
def test_only_who_may_write_messages_gets_in(signed_in, role, door):
    assert signed_in(role).post(f"/admin/composer/{door}", json={}).status_code == 403
    assert Upload.select().count() == 0


@pytest.mark.parametrize("door", ["preview", "upload"])
def test_strangers_are_sent_to_the_sign_in(client, app, door):
    app.config["WTF_CSRF_ENABLED"] = False
    assert client.post(f"/admin/composer/{door}", json={}).status_code in (302, 303)


def test_a_forged_request_is_refused(signed_in, app):
    inside = signed_in()
    app.config["WTF_CSRF_ENABLED"] = True
    assert inside.post("/admin/composer/upload", json={}).status_code == 400


def test_a_picture_is_taken_in_and_written_down(signed_in):
    answer = signed_in().post(
        "/admin/composer/upload", data={"picture": (io.BytesIO(picture()), "便當.png")}
    )
    assert answer.status_code == 200
    upload = Upload.get()
    assert answer.json["token"] == upload.token
    assert answer.json["preview"] == f"/media/{upload.token}/preview"
    line = Audit.get(Audit.action == "upload.create")
    assert line.object_label == "便當.png"


def test_what_is_no_picture_is_refused_with_a_sentence(signed_in):
    inside = signed_in()
    wrong = inside.post(
        "/admin/composer/upload", data={"picture": (io.BytesIO(b"<svg/>"), "a.svg")}
    )
    assert wrong.status_code == 422
    assert "讀不到這張圖片" in wrong.json["error"]
    assert inside.post("/admin/composer/upload", data={}).status_code == 400
    assert Audit.select().where(Audit.action == "upload.create").count() == 0


# The field ---------------------------------------------------------------------------------------


def form(app, data=None, parts=(), **field):
    class Trial(composing.StaffForm):
        parts = composing.PartsField("訊息", **field)

    sent = None if data is None else app.test_request_context(data={"parts": data}).request.form
    with app.test_request_context():
        made = Trial(sent, parts=parts)
        made.valid = data is not None and made.validate()
    return made


def test_parts_go_in_and_come_out(app, coupon):
    sent = form(app, json.dumps(DRAFT))
    assert sent.valid
    assert sent.parts.data == DRAFT
    assert sent.parts.parts[0] == Text(text="{name} 週一快樂！")
    shown = form(app, parts=sent.parts.parts)
    assert shown.parts.json_form == DRAFT
    assert form(app, parts=DRAFT).parts.parts == sent.parts.parts


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "至少寫一則"),
        ("[]", "至少寫一則"),
        ("{", "讀不到"),
        ("[" * 50_000, "讀不到"),
        ('{"text": "a"}', "清單"),
        ('[{"txt": "a"}]', "不認識「txt」"),
        ('[{"text": "a"}, {"text": "{price}"}]', "第 2 則"),
        ('[{"coupon": "gone"}]', "沒有「gone」"),
    ],
)
def test_what_cannot_be_sent_is_refused(app, data, said):
    refused = form(app, data)
    assert not refused.valid
    assert said in refused.parts.errors[0]


def test_a_message_that_may_be_missing(app):
    assert form(app, "[]", required=False).valid
    assert not form(app, '[{"text": ""}]', required=False).valid
    only_replies = [QuickReplies(replies=(QuickReply(label="a", text="b"),))]
    assert form(app, parts=only_replies).parts.data == [
        {"quick_replies": [{"label": "a", "text": "b"}]}
    ]


# On screen ----------------------------------------------------------------------------------------


@pytest.fixture
def open_composer(app, live, page):
    """Opens the trial page, signed in; answers the tab."""
    app.config["SESSION_COOKIE_SECURE"] = False
    app.config["SERVER_NAME"] = None
    staff = make_staff("manager", password_hash=hash_password(PASSWORD))

    def show(parts=()):
        composing.mount(app, parts)
        browse.sign_in(page, live, staff.email, PASSWORD)
        page.goto(f"{live}/trial")
        return page

    return show


def saved(page):
    page.get_by_role("button", name="儲存", exact=True).click()
    page.wait_for_selector("#saved:not(:empty)")
    return json.loads(page.locator("#saved").inner_text())


@pytest.mark.browser
def test_a_message_is_written_by_hand(open_composer, coupon):
    page = open_composer()
    area = page.get_by_label("文字", exact=True)
    area.fill("週一快樂 🍱 ")
    page.get_by_label("沒有名字時稱呼").fill("貴賓")
    page.get_by_role("button", name="插入好友名字").click()
    expect(area).to_have_value("週一快樂 🍱 {name|貴賓}")
    expect(page.locator("[data-counter]")).to_have_text("17 / 5,000")
    page.locator(".phone .bub", has_text="週一快樂 🍱 小明").wait_for()
    page.get_by_role("button", name="不知道名字").click()
    page.locator(".phone .bub", has_text="週一快樂 🍱 貴賓").wait_for()

    page.locator("[data-new=coupon]").click()
    page.get_by_label("優惠券", exact=True).select_option("bento20")
    page.locator(".phone .flex", has_text="查看優惠券").wait_for()
    page.locator("[data-new=sticker]").click()
    grid = page.get_by_role("listbox")
    grid.focus()
    page.keyboard.press("ArrowRight")
    page.locator("[data-new-reply=text]").click()
    page.get_by_label("按鈕", exact=True).fill("看菜單")
    page.locator("[data-new-reply=opt_out]").click()
    page.locator(".phone .qr button", has_text="不再通知").wait_for()
    expect(page.locator("[data-count]")).to_have_text("3 / 5 則")

    # The sticker goes up, past the coupon, by keyboard alone.
    page.locator(".part[data-kind=sticker] [data-do=up]").focus()
    page.keyboard.press("Enter")
    assert saved(page) == [
        {"text": "週一快樂 🍱 {name|貴賓}"},
        {"sticker": {"package": "11537", "id": "52002735"}},
        {"coupon": "bento20"},
        {
            "quick_replies": [
                {"label": "看菜單", "text": "看菜單"},
                {"label": "不再通知", "postback": "opt_out"},
            ]
        },
    ]


@pytest.mark.browser
def test_links_are_followed_unless_somebody_says_otherwise(open_composer):
    create_tag("看過菜單", kind="dynamic", staff=None, now=NOON, wall=NOON)
    page = open_composer()
    box = page.locator("[data-links-box]")
    page.get_by_label("文字", exact=True).fill("嗨")
    page.wait_for_timeout(400)  # for what must not come
    assert box.is_hidden()
    page.get_by_label("文字", exact=True).fill("新菜單 https://bento.example/menu")
    page.get_by_text("bento.example/menu", exact=True).wait_for()
    page.get_by_label("為點擊的好友加標籤").select_option("看過菜單")
    page.get_by_label("保留天數").fill("30")
    page.get_by_label("報表中的名稱").fill("菜單")
    assert browse.sideways_overflow(page) == 0
    assert browse.serious_violations(page) == []
    note = {"url": "https://bento.example/menu", "name": "菜單", "tag": "看過菜單", "days": 30}
    assert saved(page)[1:] == [{"track": "friend", "links": [note]}]
    page.get_by_label("連結點擊").select_option("off")
    assert saved(page) == [{"text": "新菜單 https://bento.example/menu"}]
    expect(page.get_by_label("連結點擊")).to_have_value("off")


@pytest.mark.browser
def test_a_removed_bubble_can_be_brought_back(open_composer):
    page = open_composer([{"text": "一"}, {"text": "二"}])
    page.locator(".part").first.locator("[data-do=remove]").click()
    expect(page.locator(".part")).to_have_count(1)
    page.get_by_role("button", name="復原").click()
    assert saved(page) == [{"text": "一"}, {"text": "二"}]


@pytest.mark.browser
def test_a_picture_is_uploaded(open_composer):
    page = open_composer([{"text": "菜單"}])
    page.locator("[data-new=image]").click()
    chooser = page.locator("[data-file]")
    chooser.set_input_files(
        {"name": "a.txt", "mimeType": "image/png", "buffer": b"no picture at all"}
    )
    page.locator("[data-upload-error]", has_text="讀不到這張圖片").wait_for()
    page.console_errors.clear()  # the browser reports the refusal (422) by itself
    chooser.set_input_files({"name": "便當.png", "mimeType": "image/png", "buffer": picture()})
    page.locator(".phone .pic img").wait_for()
    expect(page.locator("[data-upload-error]")).to_be_hidden()
    page.wait_for_function("document.querySelector('.phone .pic img').naturalWidth > 0")
    assert saved(page)[1] == {"image": Upload.get().token}


@pytest.mark.browser
def test_a_refused_save_loses_nothing_and_says_where(open_composer, coupon):
    page = open_composer()
    page.get_by_label("文字", exact=True).fill("{price} 元")
    page.locator("[data-new=coupon]").click()
    page.get_by_role("button", name="儲存", exact=True).click()
    page.locator(".error-summary").wait_for()
    assert page.get_by_label("文字", exact=True).input_value() == "{price} 元"
    expect(page.locator(".part")).to_have_count(2)
    first, second = page.locator(".part").all()
    expect(first.locator("[data-problems]")).to_contain_text("看不懂 {price}")
    expect(second.locator("[data-problems]")).to_contain_text("請選擇優惠券")
    page.get_by_label("文字", exact=True).fill("80 元")
    first.locator("[data-problems]").wait_for(state="hidden")
    second.locator("select").select_option("bento20")
    second.locator("[data-problems]").wait_for(state="hidden")
    assert saved(page) == [{"text": "80 元"}, {"coupon": "bento20"}]


@pytest.mark.browser
def test_problems_wait_until_a_field_is_left(open_composer):
    page = open_composer([{"text": "一"}])
    page.locator("[data-new=text]").click()
    page.wait_for_timeout(500)  # for what must not come
    second = page.locator(".part").nth(1)
    assert second.locator("[data-problems]").is_hidden()
    page.locator("[data-new=sticker]").focus()
    second.locator("[data-problems]", has_text="請輸入文字").wait_for()


@pytest.mark.browser
@pytest.mark.looks
@pytest.mark.parametrize("size", [browse.WIDE, browse.NARROW], ids=["wide", "narrow"])
def test_it_is_usable_by_everybody_at_any_width(open_composer, coupon, size):
    token = store(picture(), name="a", staff_id=None, now=shop_clock.now()).token
    page = open_composer([*DRAFT[:2], {"image": token}, {"sticker": {"package": "1", "id": "2"}}])
    page.set_viewport_size(size)
    page.reload()
    box = page.locator("[data-phone-box]")
    expect(box).to_have_js_property("open", size is browse.WIDE)
    if size is browse.NARROW:
        page.get_by_text("手機預覽", exact=True).click()
    page.locator(".phone .flex").wait_for()
    assert browse.sideways_overflow(page) == 0
    assert "undefined" not in page.locator(".composer").inner_text()
    assert browse.serious_violations(page) == []
    written = page.locator(".composer").evaluate("(box) => box.innerText")
    assert [text for text in browse.english_on(page) if text in written] == []


PHONE_PAGE = """{% extends "admin/base.html" %}{% import "admin/_phone.html" as p %}
{% block head %}{{ p.assets() }}{% endblock %}
{% block body %}<h1>手機</h1>{{ p.phone('熊大便當', messages) }}{% endblock %}"""


@pytest.mark.browser
def test_a_sent_message_is_shown_on_a_phone(app, live, page, coupon):
    evil = "</script><script>window.hit = 1</script>"
    messages = [
        {"type": "text", "text": f"{evil}\n週一快樂"},
        {"type": "sticker", "packageId": "446", "stickerId": "1988"},
    ]
    messages[-1]["quickReply"] = {
        "items": [{"type": "action", "action": {"type": "message", "label": "菜單", "text": "a"}}]
    }
    app.add_url_rule(
        "/phone", "phone", lambda: render_template_string(PHONE_PAGE, messages=messages)
    )
    page.goto(f"{live}/phone")
    page.locator(".phone .sticker").wait_for()
    assert page.locator(".phone .bub").all_inner_texts() == [f"{evil}\n週一快樂"]
    assert page.locator(".phone .qr button").all_inner_texts() == ["菜單"]
    assert page.evaluate("window.hit") is None
    assert browse.serious_violations(page) == []
    plain = app.test_client().get("/phone").get_data(as_text=True)
    assert "週一快樂</div>" in plain  # without JavaScript, too
