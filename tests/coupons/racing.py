"""One of several processes that want the same thing at the same moment.

`python -m tests.coupons.racing redeem URL START CODE TRIES` or `claim URL START COUPON FIRST LAST`:
prints how often it won.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from lineadmin import db as database
from lineadmin.coupons.issue import issue_one
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.coupons.redeem import Refused, find, redeem

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def _redeem(code: str, number: int) -> bool:
    copy = find(code=code)
    assert copy is not None
    key = f"{threading.get_ident()}-{number}-{time.time_ns()}"[-36:]
    try:
        redeem(copy, staff=None, how="code", request_key=key, now=NOON, wall=NOON)
    except Refused:
        return False
    return True


def _claim(coupon_id: int, friend_id: int) -> bool:
    coupon = Coupon.get_by_id(coupon_id)
    return isinstance(issue_one(coupon, friend_id, origin="reply", now=NOON), CouponIssue)


def _all_at_once(start: float, tries: list[Callable[[], bool]]) -> int:
    won: list[bool] = []

    def run(attempt: Callable[[], bool]) -> None:
        database.ensure_connection()
        time.sleep(max(0.0, start - time.time()))
        try:
            won.append(attempt())
        finally:
            database.db.close()

    threads = [threading.Thread(target=run, args=(attempt,)) for attempt in tries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == len(tries), "an attempt ended in an error"
    return sum(won)


def main(what: str, url: str, start: str, *more: str) -> int:
    database.open_database(url)
    if what == "redeem":
        code, tries = more[0], int(more[1])
        return _all_at_once(
            float(start),
            [lambda n=n: _redeem(code, n) for n in range(tries)],  # type: ignore[misc]
        )
    coupon_id, first, last = (int(text) for text in more)
    return _all_at_once(
        float(start),
        [lambda f=f: _claim(coupon_id, f) for f in range(first, last + 1)],  # type: ignore[misc]
    )


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
