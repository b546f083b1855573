"""A friend binds her member card: by what only she knows, one to one, with few tries."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineadmin.coupons.throttle import TooManyTries
from lineadmin.journal.models import Fact
from lineadmin.members import binding
from lineadmin.members.actions import digits_of
from lineadmin.members.links import page_path
from lineadmin.members.models import Member, MemberClaim
from tests.coupons.making import NOON
from tests.factories import make_friend, make_friends, make_staff
from tests.members.making import PHONE, make_member, switch_on
from tests.members.racing import all_at_once


@pytest.fixture
def hana(app, clock):
    switch_on()
    return make_friend("小花")


def try_to_bind(friend, number="A0001", proof=PHONE, wall=NOON):
    return binding.bind(friend.id, number, proof, now=NOON, wall=wall)


def test_she_binds_herself_on_her_page_and_it_becomes_her_card(client, hana):
    member = make_member(level="黃金", name="王小花")
    address = page_path(hana.id, "member")
    assert "綁定會員卡" in client.get(address).text
    sent = {"number": "A0001", "proof": "0912-345-678"}
    answer = client.post(f"{address}/bind", data=sent)
    assert (answer.status_code, answer.location) == (303, address)
    page = client.get(address).text
    for piece in ("A0001", "黃金", "王小花", "<svg"):
        assert piece in page
    fact = Fact.get(Fact.kind == "member.bound")
    assert (fact.friend_id, fact.object_id) == (hana.id, member.id)
    assert client.post(f"{address}/bind", data=sent).status_code == 303
    assert Fact.select().where(Fact.kind == "member.bound").count() == 1


def test_a_wrong_number_and_a_wrong_phone_are_told_alike(client, hana):
    make_member()
    address = f"{page_path(hana.id, 'member')}/bind"
    said = {
        client.post(address, data=sent).text.split('role="alert">')[1].split("<")[0]
        for sent in (
            {"number": "A0001", "proof": "0900000000"},
            {"number": "A9999", "proof": PHONE},
            {"number": "A0001", "proof": ""},
            {"number": "\0", "proof": PHONE},
        )
    }
    assert len(said) == 1
    assert Member.get().friend_id is None


def test_without_members_nobody_binds_and_the_page_is_not_there(client, hana):
    switch_on(enabled=False)
    make_member()
    assert client.get(page_path(hana.id, "member")).status_code == 404
    with pytest.raises(binding.NotBound):
        try_to_bind(hana)


def test_a_shop_may_ask_for_the_birthday_instead(hana):
    switch_on(proof="birthday")
    make_member(birthday="1998-05-20")
    with pytest.raises(binding.NotBound):
        try_to_bind(hana, proof=PHONE)
    assert try_to_bind(hana, proof="1998/5/20")


def test_tries_are_limited_per_friend_and_per_number(hana):
    make_member()
    for _try in range(binding.BY_FRIEND.misses):
        with pytest.raises(binding.NotBound):
            try_to_bind(hana, proof="1")
    with pytest.raises(TooManyTries):
        try_to_bind(hana)
    later = NOON + binding.BY_FRIEND.window + timedelta(seconds=1)
    for _try in range(binding.BY_NUMBER.misses - binding.BY_FRIEND.misses):
        with pytest.raises((binding.NotBound, TooManyTries)):
            try_to_bind(make_friend(), proof="1", wall=later)
    with pytest.raises(TooManyTries):
        try_to_bind(make_friend(), wall=later)
    assert Member.get().friend_id is None


def test_a_second_claimant_is_refused_and_staff_are_told_until_they_settle_it(hana):
    member = make_member()
    try_to_bind(hana)
    taro = make_friend("太郎")
    for _time in range(2):
        with pytest.raises(binding.NotBound):
            try_to_bind(taro)
    [claim] = binding.open_claims()
    assert (claim.member_id, claim.friend_id) == (member.id, taro.id)
    staff = make_staff("manager")
    assert binding.settle(member.id, staff=staff, now=NOON, wall=NOON)
    assert binding.open_claims() == []
    assert binding.unbind(member.id, staff=staff, now=NOON, wall=NOON)
    assert not binding.unbind(member.id, staff=staff, now=NOON, wall=NOON)
    assert try_to_bind(taro).id == member.id
    assert Member.get().friend_id == taro.id
    kinds = [
        fact.kind for fact in Fact.select().where(Fact.object_id == member.id).order_by(Fact.id)
    ]
    assert kinds == ["member.bound", "member.unbound", "member.bound"]


def test_one_friend_has_one_member(hana):
    make_member()
    make_member("A0002")
    try_to_bind(hana)
    with pytest.raises(binding.NotBound):
        try_to_bind(hana, "A0002")
    assert Member.select().where(Member.friend == hana.id).count() == 1
    assert not MemberClaim.select().exists()


def test_phones_are_the_same_however_they_are_written():
    for written in ("0912345678", "0912-345-678", "+886 912 345 678", "+886912345678"):
        assert digits_of(written) == "0912345678"
    assert digits_of("+81 90-1234-5678") == "09012345678"


def test_many_claim_one_member_at_once_and_one_gets_it(hana):
    member = make_member()
    friends = make_friends(8)
    tries = [
        lambda friend=friend: binding.bind(friend, "A0001", PHONE, now=NOON, wall=NOON)
        for friend in friends
    ]
    assert all_at_once(tries) == 1
    assert Member.get_by_id(member.id).friend_id in friends
    assert Fact.select().where(Fact.kind == "member.bound").count() == 1
    assert MemberClaim.select().count() == 7
