"""影片: a film from this server or from an https address, with the picture shown before it plays.

Source: https://developers.line.biz/en/reference/messaging-api/#video-message (2026-08-07)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pydantic import model_validator

from lineadmin.i18n import _
from lineadmin.messages.links import tidy_link
from lineadmin.messages.part import Part, one_of


class Video(Part):
    """A film; `preview` is the token of an uploaded picture."""

    key: ClassVar[str] = "video"
    nested: ClassVar[bool] = True
    upload: str | None = None  # the film's token
    url: str | None = None
    preview: str

    @model_validator(mode="after")
    def _one_place(self) -> Video:
        one_of(upload=self.upload, url=self.url)
        return self

    def uploads(self) -> Sequence[str]:
        return [self.preview] if self.preview else []


def check(part: Video) -> Iterator[tuple[str, str]]:
    """What is wrong, as (field, sentence); whether its files exist is looked at elsewhere."""
    if part.url is not None:
        link = tidy_link(part.url)
        if link is None or not link.startswith("https://"):
            yield "url", _("Write the whole https address of an MP4 file.")
    elif not part.upload:
        yield "url", _("Upload a film, or write the address of one.")
    if not part.preview:
        yield "preview", _("Choose the picture that shows before the film plays.")


def render(part: Video, base_url: str) -> dict[str, Any]:
    """LINE's video message."""
    address = (
        f"{base_url}/media/{part.upload}/film.mp4"
        if part.url is None
        else tidy_link(part.url) or part.url
    )
    return {
        "type": "video",
        "originalContentUrl": address,
        "previewImageUrl": f"{base_url}/media/{part.preview}/preview",
    }
