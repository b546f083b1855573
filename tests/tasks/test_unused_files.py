"""Pictures nothing uses are thrown away after a month, and only those."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from lineadmin.broadcasts import actions as broadcasts
from lineadmin.coupons.models import Coupon
from lineadmin.messages import uploads
from lineadmin.messages.models import Film, MessageTemplate, PictureSize, Upload
from lineadmin.outbox import content
from lineadmin.staff import audit
from lineadmin.tasks.unused_files import UNUSED_FOR, throw_away
from tests.conftest import NOON
from tests.coupons.making import make_coupon
from tests.factories import make_staff

LATER = NOON + UNUSED_FOR + timedelta(days=1)


def upload(shade: int, *, now: Any = NOON) -> Upload:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (shade, 90, 12)).save(file, "PNG")
    return uploads.store(file.getvalue(), name=f"{shade}.png", staff_id=None, now=now)


def in_a_draft(token: str) -> None:
    broadcasts.draft_broadcast(
        name="草稿", parts=[{"image": token}], audience=None, staff=None, now=NOON, wall=NOON
    )


def in_a_template(token: str) -> None:
    MessageTemplate.create(name="範本", parts=[{"image": token}], created_at=NOON, changed_at=NOON)


def in_what_was_sent(token: str) -> None:
    content.store([{"image": token}], personal=False, summary="圖片", now=NOON)


def on_a_coupon(token: str) -> None:
    make_coupon(picture=token)


def once_on_a_coupon(token: str) -> None:
    before, after = {"picture": token}, {"picture": ""}
    coupon = make_coupon()
    audit.record(
        make_staff(), "coupon.edit", "coupon", coupon.id, coupon.title, before, after, wall=NOON
    )
    assert Coupon.get().picture != token


@pytest.mark.parametrize(
    "used", [in_a_draft, in_a_template, in_what_was_sent, on_a_coupon, once_on_a_coupon]
)
def test_what_anything_names_stays(db: Any, used: Any) -> None:
    kept, thrown = upload(10), upload(20)
    used(kept.token)
    assert throw_away(LATER) == 1
    assert [row.token for row in Upload.select()] == [kept.token]
    assert thrown.token != kept.token


def test_what_is_newer_than_a_month_or_was_uploaded_again_stays(db: Any) -> None:
    upload(10, now=NOON + timedelta(days=10))
    upload(20)
    upload(20, now=LATER - timedelta(days=2))
    assert throw_away(LATER) == 0
    assert Upload.select().count() == 2


def test_its_other_sizes_go_with_it_and_films_too(db: Any) -> None:
    unused = upload(10)
    PictureSize.create(upload=unused.id, width=240, data=b"x")
    Film.create(token="f" * 22, hash="h", size=1, data=b"x", created_at=NOON)
    assert throw_away(LATER) == 2
    assert not Upload.select().exists()
    assert not Film.select().exists()
    assert not PictureSize.select().exists()
