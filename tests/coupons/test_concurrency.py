"""Many hands at once, in several processes: stock and the one use hold."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from lineadmin.coupons import partner_codes
from lineadmin.coupons.issue import issue_many, void
from lineadmin.coupons.models import Coupon, CouponIssue, PartnerCode, Redemption
from lineadmin.journal.models import Fact
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend, make_friends

ROOT = Path(__file__).parent.parent.parent
PROCESSES = 4


def _race(url: str, what: str, arguments: list[list[object]]) -> list[int]:
    start = time.time() + 3
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.coupons.racing", what, url, str(start)]
            + [str(part) for part in more],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for more in arguments
    ]
    won = []
    for process in running:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        won.append(int(out))
    return won


def test_200_claims_at_once_on_a_stock_of_50_give_exactly_50(db, config):
    coupon = make_coupon(stock=50)
    friends = make_friends(200)
    db.close()
    share = [
        [coupon.id, friends[start], friends[start + 49]]
        for start in range(0, 200, 200 // PROCESSES)
    ]
    won = _race(config.database_url, "claim", share)
    assert sum(won) == 50
    assert Coupon.get_by_id(coupon.id).issued == 50
    assert CouponIssue.select().count() == 50
    assert Fact.select().where(Fact.kind == "coupon.issued").count() == 50


def test_each_code_of_a_partners_list_goes_out_once_however_many_claim_at_once(db, config):
    coupon = make_coupon(code_kind="list")
    listed = "\n".join(f"PARTNER-{number}" for number in range(30))
    partner_codes.add_codes(coupon.id, listed, staff=None, now=NOON, wall=NOON)
    friends = make_friends(80)
    db.close()
    share = [[coupon.id, friends[start], friends[start + 19]] for start in range(0, 80, 20)]
    assert sum(_race(config.database_url, "claim", share)) == 30
    given = [copy.given_code for copy in CouponIssue.select()]
    assert len(set(given)) == 30
    tied = {row.code: row.issue_id for row in PartnerCode.select()}
    assert tied == {copy.given_code: copy.id for copy in CouponIssue.select()}


def test_one_friend_claiming_from_4_processes_gets_one_copy(db, config):
    coupon = make_coupon(stock=50)
    hana = make_friend().id
    db.close()
    won = _race(config.database_url, "claim", [[coupon.id, hana, hana]] * PROCESSES)
    assert won == [1] * PROCESSES  # each is shown the same copy
    assert CouponIssue.select().count() == 1
    assert Coupon.get_by_id(coupon.id).issued == 1


def test_50_redeems_at_once_of_one_code_over_4_processes_use_it_exactly_once(db, config):
    copy = give(make_coupon(), make_friend().id)
    db.close()
    won = _race(config.database_url, "redeem", [[copy.code, tries] for tries in (13, 13, 12, 12)])
    assert sum(won) == 1
    assert Redemption.select().count() == 1
    assert Fact.select().where(Fact.kind == "coupon.redeemed").count() == 1


def test_a_batch_cut_by_stock_and_taken_back_leaves_stock_exact(db):
    coupon = make_coupon(stock=700)
    friends = make_friends(1000)
    answers = issue_many(coupon, friends, origin="broadcast", origin_id=1, now=NOON)
    copies = [answer for answer in answers.values() if isinstance(answer, CouponIssue)]
    assert len(copies) == 700
    assert void(copies[:200], now=NOON) == 200
    assert Coupon.get_by_id(coupon.id).issued == 500
    later = issue_many(coupon, friends[700:], origin="broadcast", origin_id=1, now=NOON)
    assert sum(isinstance(answer, CouponIssue) for answer in later.values()) == 200
    assert Coupon.get_by_id(coupon.id).issued == 700
