"""People and their phones: what they can do, and what the panel hears of it."""

import pytest

from lineadmin.simulator.client import ControlError

QUICK = {
    "type": "text",
    "text": "要什麼？",
    "quickReply": {
        "items": [
            {"type": "action", "action": {"type": "message", "label": "菜單", "text": "看菜單"}},
            {"type": "action", "action": {"type": "postback", "label": "領券", "data": "c=1"}},
            {"type": "action", "action": {"type": "camera", "label": "拍照"}},
        ]
    },
}


def button(action):
    template = {"type": "buttons", "text": "t", "actions": [action]}
    return {"type": "template", "altText": "t", "template": template}


def send(line, to, *messages):
    assert line.send("push", {"to": to, "messages": list(messages)}).status == 200


def last(panel):
    return panel.events[-1]


def test_adding_the_account(world, panel):
    taro = world.add_phone("太郎", status="stranger")["user_id"]
    world.follow(taro, wait_ms=30_000)
    assert last(panel)["type"] == "follow"
    assert last(panel)["follow"] == {"isUnblocked": False}
    assert "replyToken" in last(panel)
    assert world.phone(taro)["status"] == "friend"


def test_blocking_and_unblocking(world, hana, panel):
    world.block(hana, wait_ms=30_000)
    assert last(panel)["type"] == "unfollow"
    assert "replyToken" not in last(panel)
    assert world.phone(hana)["status"] == "blocked"
    world.unblock(hana, wait_ms=30_000)
    assert last(panel)["follow"] == {"isUnblocked": True}
    assert world.phone(hana)["status"] == "friend"


def test_lines_flag_may_be_wrong(world, hana, panel):
    world.follow(hana, is_unblocked=True, wait_ms=30_000)
    assert last(panel)["follow"] == {"isUnblocked": True}


def test_what_is_not_possible_says_so(world, hana):
    world.block(hana)
    for attempt in (
        lambda: world.block(hana),
        lambda: world.text(hana, "hi"),
        lambda: world.tap(hana, "x"),
    ):
        with pytest.raises(ControlError) as refused:
            attempt()
        assert refused.value.status == 409
    world.unblock(hana)
    for attempt in (lambda: world.unblock(hana), lambda: world.unsend(hana)):
        with pytest.raises(ControlError):
            attempt()
    with pytest.raises(ControlError) as missing:
        world.text("U" + "0" * 32, "hi")
    assert missing.value.status == 404


def test_writing(world, hana, panel):
    world.text(hana, "便當", wait_ms=30_000)
    message = last(panel)["message"]
    assert (message["type"], message["text"]) == ("text", "便當")
    assert message["id"].isdecimal()
    assert message["quoteToken"]
    assert message["markAsReadToken"]
    (bubble,) = world.chat(hana)
    assert bubble["side"] == "friend"


def test_sending_a_sticker_and_a_place(world, hana, panel):
    world.sticker(hana, "446", "1988", wait_ms=30_000)
    assert last(panel)["message"]["stickerResourceType"] == "STATIC"
    world.location(hana, 25.03, 121.56, title="101", address="台北", wait_ms=30_000)
    assert last(panel)["message"]["latitude"] == 25.03


def test_sending_a_picture(line, world, hana, panel):
    world.image(hana, b"\xff\xd8jpeg", wait_ms=30_000)
    message = last(panel)["message"]
    assert message["contentProvider"] == {"type": "line"}
    path = f"/v2/bot/message/{message['id']}/content"
    found = line.get(path)
    assert (found.status, found.body) == (200, b"\xff\xd8jpeg")
    assert found.headers["content-type"] == "image/jpeg"
    assert line.get(f"{path}/transcoding").body == {"status": "succeeded"}
    world.unsend(hana)
    assert line.get(path).status == 404


def test_unsending(world, hana, panel):
    sent = world.text(hana, "秘密", wait_ms=30_000)["event"]["message"]["id"]
    world.unsend(hana, sent, wait_ms=30_000)
    assert last(panel)["unsend"] == {"messageId": sent}
    assert "replyToken" not in last(panel)
    (bubble,) = world.chat(hana)
    assert bubble["unsent"]
    assert "秘密" not in str(bubble)


def test_quick_replies_are_shown_until_something_is_said(line, world, hana, panel):
    send(line, hana, QUICK)
    assert len(world.phone(hana)["quick_replies"]) == 3
    tapped = world.tap(hana, "菜單")
    assert tapped["type"] == "message"
    world.wait_for_events()
    assert last(panel)["message"]["text"] == "看菜單"
    assert world.phone(hana)["quick_replies"] == []
    with pytest.raises(ControlError):
        world.tap(hana, "領券")


def test_only_the_last_message_has_quick_replies(line, world, hana):
    send(line, hana, QUICK, {"type": "text", "text": "再見"})
    assert world.phone(hana)["quick_replies"] == []
    with pytest.raises(ControlError):
        world.tap(hana, "菜單")


def test_a_postback(line, world, hana, panel):
    send(line, hana, QUICK)
    world.tap(hana, "領券")
    world.wait_for_events()
    assert last(panel)["type"] == "postback"
    assert last(panel)["postback"] == {"data": "c=1"}
    assert "replyToken" in last(panel)
    assert world.phone(hana)["quick_replies"] == []


def test_a_postback_may_show_words(line, world, hana, panel):
    send(
        line, hana, button({"type": "postback", "label": "好", "data": "d", "displayText": "好！"})
    )
    world.tap(hana, "好")
    assert world.chat(hana)[-1]["message"] == {"type": "text", "text": "好！"}
    world.wait_for_events()
    assert [event["type"] for event in panel.events] == ["postback"]


def test_a_postback_with_text_sends_it_as_well(line, world, hana, panel):
    send(line, hana, button({"type": "postback", "label": "好", "data": "d", "text": "好！"}))
    world.tap(hana, "好")
    world.wait_for_events()
    assert [event["type"] for event in panel.events] == ["message", "postback"]


def test_a_date_picker(line, world, hana, panel):
    picker = {"type": "datetimepicker", "label": "生日", "data": "b", "mode": "date"}
    send(line, hana, button(picker))
    with pytest.raises(ControlError):
        world.tap(hana, "生日")
    world.tap(hana, "生日", value="1999-09-09")
    world.wait_for_events()
    assert last(panel)["postback"] == {"data": "b", "params": {"date": "1999-09-09"}}


def test_what_a_tap_opens_copies_or_asks(line, world, hana, panel):
    send(line, hana, button({"type": "uri", "label": "券", "uri": "https://demo.invalid/c/1"}))
    assert world.tap(hana, "券") == {"type": "uri", "open": "https://demo.invalid/c/1"}
    send(line, hana, button({"type": "clipboard", "label": "碼", "clipboardText": "ABC"}))
    assert world.tap(hana, "碼") == {"type": "clipboard", "copy": "ABC"}
    send(line, hana, QUICK)
    assert world.tap(hana, "拍照") == {"type": "camera", "prompt": "camera"}
    assert panel.events == []


def test_taps_find_buttons_in_flex_and_imagemaps(line, world, hana):
    action = {"type": "uri", "label": "看", "uri": "https://shop.example/flex"}
    box = {
        "type": "box",
        "layout": "vertical",
        "contents": [{"type": "button", "action": action}],
    }
    flex = {"type": "flex", "altText": "a", "contents": {"type": "bubble", "body": box}}
    area = {"x": 0, "y": 0, "width": 1, "height": 1}
    imagemap = {
        "type": "imagemap",
        "baseUrl": "https://shop.example/map",
        "altText": "a",
        "baseSize": {"width": 1040, "height": 1040},
        "actions": [
            {"type": "uri", "label": "圖", "linkUri": "https://shop.example/map", "area": area}
        ],
    }
    send(line, hana, flex, imagemap)
    assert world.tap(hana, "看")["open"] == "https://shop.example/flex"
    assert world.tap(hana, "圖")["open"] == "https://shop.example/map"
    assert world.tap(hana, action=action)["open"] == "https://shop.example/flex"
    with pytest.raises(ControlError):
        world.tap(hana, action={**action, "uri": "https://evil.example/"})


def test_the_newest_button_of_a_label_is_tapped_or_that_of_one_bubble(line, world, hana):
    for number in (1, 2):
        uri = f"https://shop.example/{number}"
        send(line, hana, button({"type": "uri", "label": "看", "uri": uri}))
    assert world.tap(hana, "看")["open"].endswith("2")
    first = world.chat(hana)[0]["seq"]
    assert world.tap(hana, "看", seq=first)["open"].endswith("1")


def test_a_chat_is_read_in_parts(line, world, hana):
    for number in range(6):
        line.push(hana, str(number))
    assert [b["message"]["text"] for b in world.chat(hana, limit=2)] == ["4", "5"]
    seen = world.chat(hana)[3]["seq"]
    newer = world.phone(hana, after=seen)["chat"]
    assert [bubble["message"]["text"] for bubble in newer] == ["4", "5"]


def test_loading_dots(line, world, hana):
    path = "/v2/bot/chat/loading/start"
    assert line.request("POST", path, {"chatId": hana, "loadingSeconds": 5}).status == 202
    assert world.phone(hana)["loading"]
    line.push(hana)
    assert not world.phone(hana)["loading"]
    for wrong in ({"chatId": "x"}, {"chatId": hana, "loadingSeconds": 7},
                  {"chatId": hana, "loadingSeconds": 65}, {"chatId": hana, "x": 1}):  # fmt: skip
        assert line.request("POST", path, wrong).status == 400


def test_marking_as_read(line, world, hana):
    message = world.text(hana, "hi")["event"]["message"]
    path = "/v2/bot/chat/markAsRead"
    token = {"markAsReadToken": message["markAsReadToken"]}
    assert line.request("POST", path, token).body == {}
    assert world.phone(hana)["read_upto"] == message["id"]
    assert line.request("POST", path, {"markAsReadToken": "x"}).status == 400


def test_a_face_is_drawn_for_everyone(world, hana):
    assert "花" in world.picture(hana).decode()
