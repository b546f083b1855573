"""How the rows of a big shop are spread, told to SQLite once and for all.

Without such numbers SQLite takes every index for equally good and reads millions of rows where a
handful would do. Counting them itself (ANALYZE) would hold the only writer for seconds, and in a
young shop it would find numbers that are wrong a week later. These are those of a shop with
1,000,000 friends, counted once (enrolments as in several sequences); a small shop is served by the
same plans. PostgreSQL keeps its own.
"""

from __future__ import annotations

from lineadmin.db import atomic, db, is_postgres

# By table and index: the rows in it, then how many share its first column, its first two, …
SPREAD = {
    "delivery": {
        "delivery_friend_id_due_at": "6000000 6 1",
        "delivery_friend_id_origin_kind_origin_id_origin_run": "6000000 6 3 1 1",
        "delivery_outcomes": "6000000 3000000 1000000 352942 352942 352942",
        "delivery_program": "6000000 3000000 1000000 1",
        "delivery_steps": "1000000 1000000 500000 500000",
        "delivery_trouble": "670 1",
    },
    "enrolment": {
        "enrolment_due": "1000000 200000 1 1",
        "enrolment_friend_id_id": "1000000 1 1",
        "enrolment_next": "1000000 200000 50000 1 1",
        "enrolment_places": "1000000 200000 50000 10000 5000 5000",
        "enrolment_sequence_id_friend_id_run": "1000000 200000 1 1",
        "enrolment_sequence_id_state_id": "1000000 200000 100000 1",
    },
    "fact": {
        "fact_friend_id_at": "1833333 2 1",
        "fact_kind_object_id_at": "1833333 458334 229167 4",
    },
    "friend": {
        "friend_attributes": "1000000 500000 41667 13889 1183 1183 1183",
        "friend_display_name_id": "1000000 1 1",
        "friend_last_seen_at_id": "1000000 1 1",
        "friend_line_user_id": "1000000 1",
        "friend_source_id": "1000000 333334",
        "friend_source_id_id": "1000000 333334 1",
        "friend_source_status": "666667 333334 333334",
        "friend_status_id": "1000000 500000 1",
    },
    "friend_tag": {
        "friend_tag_friend_id": "250000 1",
        "friend_tag_tag_id_friend_id": "250000 125000 1",
    },
    "purchase": {
        "purchase_amount_id": "700000 3500 1",
        "purchase_at_id": "700000 1 1",
        "purchase_branch_at": "700000 233334 1",
        "purchase_by_day": "700000 700000 1 1 1",
        "purchase_counted": "700000 700000 2 1 1",
        "purchase_friend_id_at": "700000 2 1",
        "purchase_receipt_no": "700000 1",
        "purchase_redemption_id": "700000 700000",
        "purchase_status_at": "700000 700000 1",
    },
    "purchase_line": {
        "purchase_line_counted": "700000 700000 233334 2 1",
        "purchase_line_purchase_id": "700000 1",
    },
}


def tell() -> None:
    """Write the numbers where SQLite's planner reads them; connections made later know them."""
    if is_postgres():
        return
    db.execute_sql("ANALYZE sqlite_schema")  # makes the table, counts nothing
    known = [(table, name, text) for table, of in SPREAD.items() for name, text in of.items()]
    with atomic():
        found = db.execute_sql("SELECT tbl, idx, stat FROM sqlite_stat1").fetchall()
        if sorted(found, key=str) == sorted(known, key=str):
            return
        db.execute_sql("DELETE FROM sqlite_stat1")
        for row in known:
            db.execute_sql("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", row)
    db.execute_sql("ANALYZE sqlite_schema")  # this connection reads them too
