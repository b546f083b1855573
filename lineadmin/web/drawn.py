"""QR codes, drawn on this machine."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr_svg(text: str, *, border: int = 4) -> Markup:
    """The QR code of a text as inline SVG, to be sized by a style sheet.

    `border` in modules: four is what scanners may count on, less where the page itself is white.
    """
    code = segno.make(text, error="m", micro=False)
    drawn = code.svg_inline(border=border, omitsize=True, dark="#000", light="#fff", svgclass="qr")
    # The text is drawn as modules, never written.
    return Markup(drawn)  # noqa: S704
