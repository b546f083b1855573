"""One of several processes whose friends all want the same at the same moment.

`python -m tests.members.racing bind URL START NUMBER FIRST LAST` binds friends to one member;
`spend URL START MEMBER TIMES AMOUNT` takes points: both print how many times it worked.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

from lineadmin import db as database
from lineadmin.errors import DomainError
from lineadmin.members.binding import bind
from lineadmin.members.points import Change, change
from tests.coupons.making import NOON
from tests.members.making import PHONE


def main(what: str, url: str, start: str, first: str, second: str, third: str) -> int:
    database.open_database(url)
    worked: list[bool] = []
    tries: list[Callable[[], object]] = []
    if what == "bind":
        for friend_id in range(int(second), int(third) + 1):
            tries.append(lambda friend=friend_id: bind(friend, first, PHONE, now=NOON, wall=NOON))
    else:
        asked = Change(-int(third))
        for _time in range(int(second)):
            tries.append(lambda: change(int(first), asked, staff=None, now=NOON, wall=NOON))

    def run(attempt: Callable[[], object]) -> None:
        database.ensure_connection()
        time.sleep(max(0.0, float(start) - time.time()))
        try:
            attempt()
            worked.append(True)
        except DomainError:
            worked.append(False)
        finally:
            database.db.close()

    threads = [threading.Thread(target=run, args=(attempt,)) for attempt in tries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(worked) == len(tries), "an attempt ended in an error"
    return sum(worked)


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
