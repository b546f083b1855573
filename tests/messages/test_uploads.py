import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lineadmin.errors import DomainError
from lineadmin.line import limits
from lineadmin.messages import uploads
from lineadmin.messages.models import Upload
from lineadmin.messages.uploads import fit_for_line, store
from tests.conftest import NOON


def picture(size=(320, 200), colour=(200, 90, 12), mode="RGB"):
    return Image.new(mode, size, colour)


def file(image, kind="JPEG", **more):
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def read(encoded):
    return Image.open(io.BytesIO(encoded.data))


def noise(size):
    shades = random.Random(7).randbytes(size[0] * size[1] * 3)
    return Image.frombytes("RGB", size, shades)


def test_a_photo_comes_out_as_a_jpeg_in_two_sizes():
    original, preview = fit_for_line(file(picture((4000, 3000))))
    assert (original.mime, preview.mime) == ("image/jpeg", "image/jpeg")
    assert read(original).size == (original.width, original.height) == (2048, 1536)
    assert max(read(preview).size) == 720


def test_a_small_picture_is_not_made_larger():
    original, preview = fit_for_line(file(picture((60, 40))))
    assert read(original).size == read(preview).size == (60, 40)


def test_a_phones_turned_photo_stands_upright_and_forgets_where_it_was_taken():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    exif[0x010F] = "Phone"
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    original, preview = fit_for_line(file(picture((300, 100)), exif=exif))
    assert read(original).size == (100, 300)
    assert not read(original).getexif()
    assert not read(preview).getexif()


def test_transparency_is_kept_where_there_is_any():
    clear = picture((50, 50), (255, 0, 0, 0), "RGBA")
    assert fit_for_line(file(clear, "PNG"))[0].mime == "image/png"
    solid = picture((50, 50), (255, 0, 0, 255), "RGBA")
    assert fit_for_line(file(solid, "PNG"))[0].mime == "image/jpeg"


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "P"), ("PNG", "L"), ("GIF", "P"), ("WEBP", "RGB")]
)
def test_other_kinds_are_converted(kind, mode):
    original, _preview = fit_for_line(file(picture(colour=0, mode=mode), kind))
    assert read(original).format == "JPEG"


def test_cmyk_from_a_print_shop_is_readable():
    original, _preview = fit_for_line(file(picture(colour=(0, 0, 0, 0), mode="CMYK")))
    assert read(original).mode == "RGB"


def test_even_noise_keeps_within_lines_limits():
    original, preview = fit_for_line(file(noise((2048, 1500)), quality=98))
    assert len(original.data) <= limits.IMAGE_BYTES
    assert len(preview.data) <= limits.PREVIEW_BYTES


def test_a_transparent_noise_shrinks_until_it_fits():
    shade = noise((900, 900)).convert("RGBA")
    shade.putalpha(noise((900, 900)).convert("L"))
    _original, preview = fit_for_line(file(shade, "PNG"))
    assert preview.mime == "image/png"
    assert len(preview.data) <= limits.PREVIEW_BYTES
    assert max(read(preview).size) < 720


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        file(picture())[:200],
        file(picture(), "PNG")[:60],
        file(picture(), "BMP"),
        file(picture(), "TIFF"),
    ],
)
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(DomainError) as caught:
        fit_for_line(data)
    assert caught.value.field == "image"


def test_huge_files_and_pictures_are_refused(monkeypatch):
    monkeypatch.setattr(uploads, "FILE_BYTES", 100)
    with pytest.raises(DomainError, match="MB"):
        fit_for_line(file(picture()))
    monkeypatch.undo()
    with pytest.raises(DomainError, match="像素"):
        fit_for_line(file(picture((5000, 4000), 0, "1"), "PNG"))
    bomb = file(picture((14000, 14000), 0, "1"), "PNG")
    assert len(bomb) < 100_000
    with pytest.raises(DomainError):
        fit_for_line(bomb)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_never_end_in_anything_but_a_sentence(data):
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "WEBP"]))
    damaged = bytearray(file(picture((30, 20)), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    try:
        original, preview = fit_for_line(bytes(damaged))
    except DomainError:
        return
    read(original).load()
    read(preview).load()


def test_an_upload_is_stored_once(db):
    first = store(file(picture()), name="菜單.jpg", staff_id=3, now=NOON)
    again = store(file(picture()), name="menu (2).jpg", staff_id=4, now=NOON)
    assert first.token == again.token
    assert len(first.token) >= 16
    row = Upload.get()
    assert (row.name, row.created_by, row.mime) == ("菜單.jpg", 3, "image/jpeg")
    assert Image.open(io.BytesIO(bytes(row.preview))).size == (320, 200)
    assert store(file(picture(colour=0)), name="", staff_id=None, now=NOON).token != first.token
