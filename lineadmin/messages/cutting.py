"""Pictures cut to a coupon's card: one part of an upload, in the card's shape, small enough for a
slow phone. The upload itself stays as it was, so that it can be cut anew."""

from __future__ import annotations

import base64
import hashlib
import io
import secrets
from dataclasses import dataclass
from datetime import datetime

from PIL import Image

from lineadmin.db import insert_ignore
from lineadmin.errors import DomainError
from lineadmin.i18n import _l
from lineadmin.messages.models import Upload
from lineadmin.messages.uploads import TOKEN_BYTES

RATIO = (20, 13)  # LINE's own shape of a card's picture
CARD, PAGE, SKETCH = 1000, 640, 400  # widths in pixels
CARD_BYTES, PAGE_BYTES, SKETCH_BYTES = 250_000, 30_000, 20_000
QUALITIES = (84, 76, 68, 58, 46, 34)
MOST_ZOOM = 400


@dataclass(frozen=True)
class Cut:
    """Where to cut: the largest part that fits, `zoom` percent magnified, at `x`, `y` percent of
    what is left over."""

    source: str  # token of the upload
    x: int = 50
    y: int = 50
    zoom: int = 100

    def within_bounds(self) -> Cut:
        """With every number brought into its range."""
        return Cut(
            self.source,
            min(100, max(0, self.x)),
            min(100, max(0, self.y)),
            min(MOST_ZOOM, max(100, self.zoom)),
        )


def store_cut(cut: Cut, *, staff_id: int | None, now: datetime) -> str:
    """The token of the cut picture: its original goes on the card, its preview on the page.

    :raises DomainError: there is no such upload; field "picture"
    """
    picture = _cut(cut.within_bounds())
    card, page = _jpeg(picture, CARD, CARD_BYTES), _jpeg(picture, PAGE, PAGE_BYTES)
    digest = hashlib.sha256(b"cut" + card).hexdigest()
    height = CARD * RATIO[1] // RATIO[0]
    insert_ignore(
        Upload.insert(
            token=secrets.token_urlsafe(TOKEN_BYTES),
            hash=digest,
            name="",
            mime="image/jpeg",
            width=CARD,
            height=height,
            original=card,
            preview=page,
            preview_mime="image/jpeg",
            created_at=now,
            created_by=staff_id,
        )
    )
    return str(Upload.select(Upload.token).where(Upload.hash == digest).get().token)


def sketch(cut: Cut) -> str:
    """A small cut picture as a data: address, for the editor's preview; empty without an upload."""
    try:
        data = _jpeg(_cut(cut.within_bounds()), SKETCH, SKETCH_BYTES)
    except DomainError:
        return ""
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def _cut(cut: Cut) -> Image.Image:
    row = Upload.select(Upload.original).where(Upload.token == cut.source).first()
    if row is None:
        raise DomainError(_l("The picture is gone. Choose it again."), field="picture_file")
    picture: Image.Image = Image.open(io.BytesIO(bytes(row.original)))
    if picture.mode != "RGB":
        ground = Image.new("RGB", picture.size, "#ffffff")
        layer = picture.convert("RGBA")
        ground.paste(layer, mask=layer.getchannel("A"))
        picture = ground
    width = min(picture.width, picture.height * RATIO[0] / RATIO[1]) * 100 / cut.zoom
    height = width * RATIO[1] / RATIO[0]
    # A strip's height comes out a hair too large, and Pillow takes no box beyond the edge.
    left = max(0.0, (picture.width - width) * cut.x / 100)
    top = max(0.0, (picture.height - height) * cut.y / 100)
    right, bottom = min(left + width, picture.width), min(top + height, picture.height)
    return picture.resize(
        (CARD, CARD * RATIO[1] // RATIO[0]),
        Image.Resampling.LANCZOS,
        box=(left, top, right, bottom),
    )


def _jpeg(picture: Image.Image, width: int, limit: int) -> bytes:
    if width != picture.width:
        picture = picture.resize((width, width * RATIO[1] // RATIO[0]), Image.Resampling.LANCZOS)
    data = b""
    for quality in QUALITIES:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        data = file.getvalue()
        if len(data) <= limit:
            return data
    return data if width <= PAGE // 2 else _jpeg(picture, width * 3 // 4, limit)
