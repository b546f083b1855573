"""Staff's screens of members: list, form, points, files, and what a second claim looks like."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from lineadmin.errors import DomainError
from lineadmin.members import actions, binding, csv_file, points
from lineadmin.members.models import Member, PointEntry
from lineadmin.members.setup import setup
from lineadmin.staff.models import Audit
from tests.coupons.making import NOON
from tests.factories import make_friend
from tests.members.making import PHONE, give, make_member, switch_on
from tests.panel import flashes_of, hidden_of, panel_of

LIST = "/admin/members/"
FILE = """number,name,phone,birthday,level,points,points_until,reason
A0001,王小花,0912-345-678,1998/5/20,黃金,100,2027-12-31,滿額贈點
A0002,太郎,,,,,,
A0003,三郎,,,鑽石,,,
!,四郎,,,,,,
A0005,五郎,,,,-5,,
"""


@pytest.fixture
def panel(app, clock):
    switch_on()
    return panel_of(app, "owner")


def upload(panel, text=FILE, name="members.csv"):
    return panel.post(
        LIST + "import/",
        {"file": (io.BytesIO(text.encode()), name)},
        content_type="multipart/form-data",
    )


def test_a_shop_without_members_is_told_what_they_are_good_for(app, clock):
    page = panel_of(app).get(LIST).text
    assert "本店還沒有會員制度" in page
    assert "/admin/members/settings/" in page


def test_members_are_switched_on_in_their_settings(app, clock):
    panel = panel_of(app, "manager")
    form = hidden_of(panel.get(LIST + "settings/").text)
    sent = {**form, "enabled": "y", "levels": "一般\n黃金", "proof": "birthday", "points_days": ""}
    assert panel.post(LIST + "settings/", sent).status_code == 302
    assert (setup().enabled, setup().levels, setup().proof) == (True, ("一般", "黃金"), "birthday")
    assert setup().points_days is None
    assert panel.post(LIST + "settings/", {**sent, "proof": "phone"}).status_code == 409
    assert setup().proof == "birthday"
    assert panel_of(app, "staff").get(LIST + "settings/").status_code == 403


def test_a_member_is_added_found_and_edited_with_an_audit_line(panel):
    sent = {"number": "A0001", "name": "王小花", "phone": "0912-345-678", "level": "黃金"}
    assert panel.post(LIST + "new/", sent).status_code == 302
    member = Member.get()
    assert (member.phone, member.level) == (PHONE, "黃金")
    assert "A0001" in panel.get(LIST, query_string={"search": "小花"}).text
    assert "A0001" not in panel.get(LIST, query_string={"level": "一般"}).text
    again = panel.post(LIST + "new/", sent)
    assert "已經有人使用" in again.text
    address = f"{LIST}edit/?id={member.id}"
    form = {**hidden_of(panel.get(address).text), **sent, "level": "一般"}
    assert panel.post(address, form).status_code == 302
    assert Member.get().level == "一般"
    assert panel.post(address, {**form, "level": "黃金"}).status_code == 409
    actions = {row.action for row in Audit.select()}
    assert {"member.create", "member.edit"} <= actions


def test_staff_give_and_take_points_once_per_form(app, panel):
    member = make_member()
    counter = panel_of(app, "staff")
    page = counter.get(f"{LIST}{member.id}/").text
    sent = {**hidden_of(page), "amount": "30", "reason": "滿額", "until": "", "way": "give"}
    address = f"{LIST}{member.id}/points/"
    for _tap in range(2):
        assert counter.post(address, sent).status_code == 302
    assert points.balance(member.id, NOON) == 30
    sent = {**hidden_of(counter.get(f"{LIST}{member.id}/").text), "amount": "31", "way": "take"}
    refused = counter.post(address, sent)
    assert refused.status_code == 400
    assert "只剩 30 點" in refused.text
    assert PointEntry.select().count() == 1
    assert Audit.get(Audit.action == "points.change").object_id == member.id
    viewer = panel_of(app, "viewer")
    assert viewer.get(f"{LIST}{member.id}/").status_code == 403
    assert viewer.post(address, {"amount": "1", "way": "give"}).status_code == 403


def test_the_same_file_twice_changes_nothing_and_bad_rows_are_told(panel):
    page = upload(panel).text
    for piece in ("鑽石", "只剩 0 點", "<code>level</code>", "<code>points</code>"):
        assert piece in page
    assert [row.number for row in Member.select().order_by(Member.id)] == ["A0001", "A0002"]
    assert points.balance(Member.get(Member.number == "A0001").id, NOON) == 100
    before = list(Member.select().order_by(Member.id).dicts())
    again = upload(panel, name="again.csv").text
    assert list(Member.select().order_by(Member.id).dicts()) == before
    assert PointEntry.select().count() == 1
    assert "<b>0</b>" in again
    assert Audit.select().where(Audit.action == "member.import").count() == 2


def test_a_file_that_is_none_changes_nothing(panel):
    for text in (
        "name\n小花\n",
        "number,\0\nA1,x\n",
        "number,colour\nA1,red\n",
        "number,number\nA1,A1\n",
        "",
    ):
        answer = upload(panel, text)
        assert answer.status_code == 400
        assert flashes_of(answer.text)
    assert not Member.select().exists()


def test_what_is_exported_can_be_imported_again(panel):
    make_member(name="王小花", level="黃金", birthday="1998-05-20")
    text = panel.get(LIST + "export/csv/").data.decode("utf-8-sig")
    assert "王小花" in text
    rows = "number,name,phone,birthday,level\r\n" + text.split("\r\n", 1)[1]
    assert "<b>1</b>" in upload(panel, rows).text
    assert Member.get().version == 1


def test_a_second_claim_is_shown_at_home_until_it_is_looked_into(app, panel):
    hana, taro = make_friend("小花"), make_friend("太郎")
    member = make_member()
    binding.bind(hana.id, "A0001", PHONE, now=NOON, wall=NOON)
    with pytest.raises(binding.NotBound):
        binding.bind(taro.id, "A0001", PHONE, now=NOON, wall=NOON)
    assert "重複綁定的會員" in panel.get("/admin/").text
    page = panel.get(f"{LIST}{member.id}/").text
    assert "太郎" in page
    asked = panel.post(f"{LIST}{member.id}/unbind/")
    assert "要解除會員 A0001 的綁定嗎" in asked.text
    assert Member.get().friend_id == hana.id
    panel.post(f"{LIST}{member.id}/unbind/", {"confirmed": "1"})
    assert Member.get().friend_id is None
    panel.post(f"{LIST}{member.id}/settle/")
    assert "重複綁定的會員" not in panel.get("/admin/").text
    panel.post(LIST + "bind/", {"friend": taro.id, "number": "A0001"})
    assert Member.get().friend_id == taro.id


def test_her_membership_stands_on_the_friends_page_and_in_its_timeline(panel):
    hana = make_friend("小花")
    address = f"/admin/friends/{hana.id}/"
    assert "綁定" in panel.get(address).text
    member = make_member(level="黃金")
    binding.bind(hana.id, "A0001", PHONE, now=NOON, wall=NOON)
    give(member, 1200, reason="滿額贈點")
    page = panel.get(address).text
    for piece in ("A0001", "黃金", "1,200", "綁定會員卡", "獲得點數", "滿額贈點"):
        assert piece in page


def test_a_row_that_was_left_out_changes_nothing_that_the_next_one_is_held_against(panel):
    member = make_member(name="王小花")
    text = "number,name,points\nA0001,王大花,-5\nA0001,王大花,\n"
    assert "只剩 0 點" in upload(panel, text).text
    assert Member.get_by_id(member.id).name == "王大花"


def test_what_staff_save_while_a_file_is_read_stays(panel, monkeypatch):
    first, second = make_member("A0001"), make_member("A0002", phone="0922345678")
    real = csv_file._save_points

    def meanwhile(member_id, *args, **kwargs):
        if member_id == first.id:
            actions.edit(
                Member.get_by_id(second.id),
                actions.Details("A0002", "林美玲", "0933345678"),
                version=None,
                staff=None,
                now=NOON,
                wall=NOON,
            )
        return real(member_id, *args, **kwargs)

    monkeypatch.setattr(csv_file, "_save_points", meanwhile)
    upload(panel, "number,level\nA0001,黃金\nA0002,黃金\n")
    saved = Member.get_by_id(second.id)
    assert (saved.name, saved.phone, saved.level) == ("林美玲", "0933345678", "黃金")


def test_somebody_born_today_can_be_a_member_from_midnight_of_the_shop_on(db):
    just_after_midnight = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # 00:30 on the 24th, Taipei
    assert make_member(birthday="2026-11-24", now=just_after_midnight).birthday == "2026-11-24"
    with pytest.raises(DomainError):
        make_member("A0002", birthday="2026-11-25", now=just_after_midnight)
