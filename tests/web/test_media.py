import io

import pytest
from flask import Flask
from PIL import Image

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
