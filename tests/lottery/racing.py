"""One of several processes whose friends all draw at the same moment.

`python -m tests.lottery.racing URL START LOTTERY FIRST LAST`: prints how many drew.
"""

from __future__ import annotations

import sys
import threading
import time

from lineadmin import db as database
from lineadmin.lottery.draw import NotDrawn, draw
from tests.coupons.making import NOON


def main(url: str, start: str, lottery_id: str, first: str, last: str) -> int:
    database.open_database(url)
    drew: list[bool] = []

    def run(friend_id: int) -> None:
        database.ensure_connection()
        time.sleep(max(0.0, float(start) - time.time()))
        try:
            draw(int(lottery_id), friend_id, how="page", now=NOON)
            drew.append(True)
        except NotDrawn:
            drew.append(False)
        finally:
            database.db.close()

    # Twice each: a thumb that taps twice.
    friends = [friend for friend in range(int(first), int(last) + 1) for _ in range(2)]
    threads = [threading.Thread(target=run, args=(friend,)) for friend in friends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drew) == len(friends), "a draw ended in an error"
    return sum(drew)


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
