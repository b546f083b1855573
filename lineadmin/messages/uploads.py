"""Pictures for messages: made fit for LINE on arrival, kept in the database.

LINE takes JPEG and PNG, 10 MB for the picture and 1 MB for its preview (line/limits.py). What
comes in is decoded and written anew, so nothing of a file but its pixels goes any further.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL import Image, ImageOps
from PIL import WebPImagePlugin as _registers_webp  # noqa: F401

from lineadmin.db import insert_ignore
from lineadmin.errors import DomainError
from lineadmin.i18n import _l
from lineadmin.line import limits
from lineadmin.messages.models import PictureSize, Upload
from lineadmin.messages.part import clean

FILE_BYTES = limits.IMAGE_BYTES
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
# A JPEG is decoded at a fraction of its size; the others have to be unpacked in full.
JPEG_PIXELS, OTHER_PIXELS = 80_000_000, 16_000_000
SIDE_ORIGINAL, SIDE_PREVIEW = 2048, 720
QUALITIES = (88, 80, 70, 60)
NAME_CHARACTERS = 200
TOKEN_BYTES = 16

# A picture takes some 60 MB while it is worked on; a small dyno has room for one at a time.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Encoded:
    """A picture as a file: its bytes and what they are."""

    data: bytes
    mime: str
    width: int
    height: int


def store(data: bytes, *, name: str, staff_id: int | None, now: datetime) -> Upload:
    """The upload for a picture file; the same picture again is the same upload.

    :raises DomainError: no picture, or too large to be worked on
    """
    original, preview = fit_for_line(data)
    digest = hashlib.sha256(original.data).hexdigest()
    insert_ignore(
        Upload.insert(
            token=secrets.token_urlsafe(TOKEN_BYTES),
            hash=digest,
            name=clean(name).replace("\n", " ")[:NAME_CHARACTERS],
            mime=original.mime,
            width=original.width,
            height=original.height,
            original=original.data,
            preview=preview.data,
            preview_mime=preview.mime,
            created_at=now,
            created_by=staff_id,
        )
    )
    # What is uploaded again is wanted again: it counts as new for whoever clears the unused away.
    Upload.update(created_at=now).where(Upload.hash == digest).execute()
    stored: Upload = (
        Upload.select(
            Upload.id, Upload.token, Upload.name, Upload.mime, Upload.width, Upload.height
        )
        .where(Upload.hash == digest)
        .get()
    )
    return stored


def make_sizes(upload: Upload) -> None:
    """Have the picture ready in every width LINE asks for where it is a rich message."""
    for width in limits.IMAGEMAP_WIDTHS:
        sized(upload.token, width)


def sized(token: str, width: int) -> tuple[bytes, str] | None:
    """The picture at one of limits.IMAGEMAP_WIDTHS, with its type; None where there is none.

    It is made when it is first asked for, and kept.
    """
    upload = Upload.select(Upload.id, Upload.mime).where(Upload.token == token).first()
    if upload is None or width not in limits.IMAGEMAP_WIDTHS:
        return None
    kept = PictureSize.select(PictureSize.data).where(
        PictureSize.upload == upload.id, PictureSize.width == width
    )
    row = kept.tuples().first()
    if row is None:
        data = _at_width(upload, width)
        insert_ignore(PictureSize.insert(upload=upload.id, width=width, data=data))
        return data, upload.mime
    return bytes(row[0]), upload.mime


def _at_width(upload: Upload, width: int) -> bytes:
    row: Any = Upload.select(Upload.original).where(Upload.id == upload.id).tuples().get()
    with _one_at_a_time:
        picture = Image.open(io.BytesIO(bytes(row[0])), formats=FORMATS)
        height = max(1, round(picture.height * width / picture.width))
        fitted = picture.resize((width, height), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        if upload.mime == "image/png":
            fitted.save(file, "PNG", optimize=False)
        else:
            fitted.save(file, "JPEG", quality=QUALITIES[0], optimize=True, progressive=True)
    return file.getvalue()


def fit_for_line(data: bytes) -> tuple[Encoded, Encoded]:
    """The picture in the two sizes LINE asks for: turned upright, without its metadata.

    :raises DomainError: see `store`
    """
    if not data:
        raise DomainError(_l("The file is empty."), field="image")
    if len(data) > FILE_BYTES:
        raise DomainError(
            _l("The picture is larger than %(limit)s MB.", limit=FILE_BYTES // (1024 * 1024)),
            field="image",
        )
    with _one_at_a_time:
        picture = _decode(data)
        original = _encode(_within(picture, SIDE_ORIGINAL), limits.IMAGE_BYTES)
        preview = _encode(_within(picture, SIDE_PREVIEW), limits.PREVIEW_BYTES)
    return original, preview


def _decode(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            opened.verify()
        opened = Image.open(io.BytesIO(data), formats=FORMATS)
        is_jpeg = opened.format in ("JPEG", "MPO")  # MPO: two JPEGs in one, from some phones
        if opened.width * opened.height > (JPEG_PIXELS if is_jpeg else OTHER_PIXELS):
            raise DomainError(
                _l("The picture has too many pixels. Make it smaller first."), field="image"
            )
        if is_jpeg:
            opened.draft("RGB", (SIDE_ORIGINAL, SIDE_ORIGINAL))
        opened.load()
        upright = ImageOps.exif_transpose(opened)
        picture = upright.convert("RGBA" if _has_transparency(upright) else "RGB")
    except DomainError:
        raise
    except Exception as error:
        # Pillow raises nearly everything on a crafted file, SyntaxError and struct.error included.
        raise DomainError(
            _l("This is not a picture we can read. JPEG, PNG, WebP and GIF work."), field="image"
        ) from error
    return picture


def _has_transparency(picture: Image.Image) -> bool:
    if "transparency" not in picture.info and "A" not in picture.getbands():
        return False
    lowest, _highest = picture.convert("RGBA").getchannel("A").getextrema()
    return bool(lowest < 255)  # type: ignore[operator]


def _within(picture: Image.Image, side: int) -> Image.Image:
    fitted = picture.copy()
    fitted.thumbnail((side, side), Image.Resampling.LANCZOS)
    return fitted


def _encode(picture: Image.Image, limit: int) -> Encoded:
    """JPEG, or PNG where something is transparent; made smaller until it keeps within `limit`."""
    while True:
        for quality in QUALITIES:
            encoded = _write(picture, quality)
            if len(encoded.data) <= limit:
                return encoded
            if encoded.mime == "image/png":
                break
        picture = _within(picture, max(picture.size) * 3 // 4)


def _write(picture: Image.Image, quality: int) -> Encoded:
    file = io.BytesIO()
    if picture.mode == "RGBA":
        picture.save(file, "PNG", optimize=False)
        mime = "image/png"
    else:
        picture.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        mime = "image/jpeg"
    return Encoded(file.getvalue(), mime, picture.width, picture.height)
