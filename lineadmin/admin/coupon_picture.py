"""The picture in a coupon's form: chosen, cut to the card with three sliders, or taken off."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, FileField, Form, HiddenField, IntegerField, validators
from wtforms.widgets import RangeInput

from lineadmin import clock
from lineadmin.admin.identity import current_staff
from lineadmin.coupons.models import Coupon
from lineadmin.i18n import _l
from lineadmin.messages import uploads
from lineadmin.messages.cutting import MOST_ZOOM, Cut, sketch, store_cut
from lineadmin.messages.models import Upload

ACCEPTED = "image/jpeg,image/png,image/webp,image/gif"


def _slider(label: Any, low: int, high: int, start: int) -> IntegerField:
    return IntegerField(
        label,
        [validators.Optional()],
        default=start,
        widget=RangeInput(),
        render_kw={"min": low, "max": high, "step": 1},
    )


class PictureFields(Form):
    """Mixed into a form. Works without JavaScript: the file comes with the form, and is cut where
    the sliders stand."""

    picture_file = FileField(_l("Choose a picture"), render_kw={"accept": ACCEPTED})
    picture_source = HiddenField()
    crop_zoom = _slider(_l("Zoom"), 100, MOST_ZOOM, 100)
    crop_x = _slider(_l("Left or right"), 0, 100, 50)
    crop_y = _slider(_l("Up or down"), 0, 100, 50)
    picture_off = BooleanField(_l("Without a picture"))

    def cut(self) -> Cut | None:
        """What the form asks to be cut, or None where it asks for no picture."""
        source = str(self.picture_source.data or "")
        if self.picture_off.data or not source:
            return None
        spot = (self.crop_x.data, self.crop_y.data, self.crop_zoom.data)
        x, y, zoom = (
            usual if given is None else int(given)
            for given, usual in zip(spot, (50, 50, 100), strict=True)
        )
        return Cut(source, x, y, zoom).within_bounds()

    def take_file(self) -> None:
        """Store a file that came with the form; from then on it is the source.

        :raises DomainError: it is no picture
        """
        file = self.picture_file.data
        if not getattr(file, "filename", ""):
            return
        data = file.stream.read(uploads.FILE_BYTES + 1)
        stored = uploads.store(
            data, name=file.filename, staff_id=current_staff().id, now=clock.now()
        )
        self.picture_source.data = stored.token
        self.picture_off.data = False

    def keep_picture(self, known: Coupon | None) -> dict[str, Any]:
        """The two columns of the coupon, the picture cut anew where it has to be."""
        wanted = self.cut()
        if wanted is None:
            return {"picture": "", "picture_from": None}
        made_from = vars(wanted)
        if known is not None and known.picture and known.picture_from == made_from:
            return {"picture": known.picture, "picture_from": made_from}
        token = store_cut(wanted, staff_id=current_staff().id, now=clock.now())
        return {"picture": token, "picture_from": made_from}

    def picture_address(self, known: Coupon | None) -> str:
        """Where to see what the form asks for, before it is saved."""
        wanted = self.cut()
        if wanted is None:
            return ""
        if known is not None and known.picture and known.picture_from == vars(wanted):
            return f"/media/{known.picture}/preview"
        return sketch(wanted)


def picture_values(coupon: Coupon) -> dict[str, Any]:
    """A coupon's picture in the form's terms; one from a shop file is its own source."""
    if not coupon.picture:
        return {}
    made_from = coupon.picture_from or vars(Cut(coupon.picture))
    known = Upload.select().where(Upload.token == made_from["source"]).exists()
    return {
        "picture_source": made_from["source"] if known else "",
        "crop_x": made_from["x"],
        "crop_y": made_from["y"],
        "crop_zoom": made_from["zoom"],
    }
