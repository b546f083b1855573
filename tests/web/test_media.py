import io

import pytest
from flask import Flask
from PIL import Image

from lineadmin.errors import DomainError
from lineadmin.messages import films
from lineadmin.messages.models import PictureSize
from lineadmin.messages.uploads import store
from lineadmin.web import media
from tests.conftest import NOON


@pytest.fixture
def upload(db):
    file = io.BytesIO()
    Image.new("RGB", (1000, 500), (200, 90, 12)).save(file, "PNG")
    return store(file.getvalue(), name="a.png", staff_id=None, now=NOON)


@pytest.fixture
def door(upload):
    app = Flask("door")
    media.init_app(app)
    return app.test_client()


def test_line_fetches_both_sizes(door, upload):
    sizes = {}
    for size in ("original", "preview"):
        answer = door.get(f"/media/{upload.token}/{size}")
        assert answer.status_code == 200
        assert answer.mimetype == "image/jpeg"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        sizes[size] = Image.open(io.BytesIO(answer.data)).size
    assert sizes == {"original": (1000, 500), "preview": (720, 360)}


def test_a_head_request_tells_the_length(door, upload):
    head = door.head(f"/media/{upload.token}/original")
    whole = door.get(f"/media/{upload.token}/original")
    assert head.status_code == 200
    assert head.data == b""
    assert head.headers["Content-Length"] == str(len(whole.data))


def test_what_is_known_already_is_not_sent_again(door, upload):
    address = f"/media/{upload.token}/original"
    etag = door.get(address).headers["ETag"]
    again = door.get(address, headers={"If-None-Match": etag})
    assert again.status_code == 304
    assert again.data == b""


@pytest.mark.parametrize(
    "address",
    [
        "/media/nobody-knows-this-one/original",
        "/media/short/original",
        "/media/{token}/huge",
        "/media/{token}",
        "/media/..%2f..%2fetc/original",
        "/media/%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00/original",
    ],
)
def test_everything_else_is_not_there(door, upload, address):
    assert door.get(address.format(token=upload.token)).status_code == 404


def test_a_rich_message_is_fetched_at_every_width_line_asks_for(door, upload):
    for width in (240, 300, 460, 700, 1040):
        for _again in range(2):  # the first makes it, the second finds it
            answer = door.get(f"/media/{upload.token}/map/{width}")
            assert answer.mimetype == "image/jpeg"
            assert Image.open(io.BytesIO(answer.data)).size == (width, round(width / 2))
    assert PictureSize.select().count() == 5
    assert door.get(f"/media/{upload.token}/map/500").status_code == 404
    assert door.get(f"/media/{upload.token[:-1]}x/map/240").status_code == 404


@pytest.fixture
def film(db):
    data = b"\x00\x00\x00\x20ftypisom" + bytes(range(256)) * 3000
    return films.store(data, name="a.mp4", staff_id=None, now=NOON), data


def test_a_film_plays_from_any_place(door, film):
    stored, data = film
    address = f"/media/{stored.token}/film.mp4"
    whole = door.get(address)
    assert (whole.status_code, whole.mimetype, whole.data) == (200, "video/mp4", data)
    part = door.get(address, headers={"Range": "bytes=300000-300099"})
    assert part.status_code == 206
    assert part.data == data[300000:300100]
    assert part.headers["Content-Range"] == f"bytes 300000-300099/{len(data)}"
    rest = door.get(address, headers={"Range": f"bytes={len(data) - 5}-"})
    assert rest.data == data[-5:]
    assert door.get(address, headers={"Range": f"bytes={len(data)}-"}).status_code == 416
    head = door.head(address)
    assert (head.data, head.content_length) == (b"", len(data))
    assert door.get("/media/nosuchfilm-nosuch/film.mp4").status_code == 404


def test_only_mp4_is_a_film(db):
    for data in (b"", b"GIF89a....", b"<svg/>" * 9):
        with pytest.raises(DomainError):
            films.store(data, name="a", staff_id=None, now=NOON)
    with pytest.raises(DomainError, match="20 MB"):
        films.store(b"\x00" * (films.FILE_BYTES + 1), name="a", staff_id=None, now=NOON)
