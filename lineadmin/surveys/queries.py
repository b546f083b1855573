"""Questions about surveys that messages and screens ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lineadmin.coupons.models import Coupon
from lineadmin.surveys.card import SurveyView, card_view
from lineadmin.surveys.links import page_path
from lineadmin.surveys.models import Survey, SurveyRevision, SurveySending
from lineadmin.surveys.states import DRAFT, OPEN


@dataclass(frozen=True)
class Known:
    """A survey as messages speak of it."""

    survey: Survey
    questions: int
    gift: str

    def card(
        self, friend_id: int, sending: SurveySending, public_url: str, locale: str
    ) -> SurveyView:
        """The card for one friend in one sending."""
        url = f"{public_url}{page_path(self.survey, friend_id, sending.id)}"
        return card_view(self.survey, self.questions, self.gift, url, locale)

    def sample(self, url: str, locale: str) -> SurveyView:
        """The card as such, for previews."""
        return card_view(self.survey, self.questions, self.gift, url, locale)


def by_codes(codes: Iterable[str]) -> dict[str, Known]:
    """The surveys with these short names, in three queries."""
    wanted = list(codes)
    if not wanted:
        return {}
    rows = list(Survey.select().where(Survey.code.in_(wanted)))
    revisions = SurveyRevision.select().where(SurveyRevision.survey.in_([row.id for row in rows]))
    counts = {(row.survey_id, row.number): len(row.questions) for row in revisions}
    gifts = Coupon.select(Coupon.id, Coupon.title).where(
        Coupon.id.in_([row.coupon_id for row in rows if row.coupon_id])
    )
    titles = {row.id: row.title for row in gifts}
    return {
        row.code: Known(
            row, counts.get((row.id, row.revision), 0), titles.get(row.coupon_id or 0, "")
        )
        for row in rows
    }


def pickable(now: datetime) -> list[Survey]:
    """Surveys that can be put into a message, the newest first."""
    going_on = Survey.ends_at.is_null() | (Survey.ends_at > now)
    query = Survey.select().where(
        Survey.state.in_((OPEN, DRAFT)), Survey.archived_at.is_null(), going_on
    )
    return list(query.order_by(Survey.id.desc()))
