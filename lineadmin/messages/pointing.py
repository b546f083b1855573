"""What a part points at: is it there, and can friends still have it?

Each question answers with a sentence for staff, empty where nothing is wrong. Without `references`
only a missing choice is seen; without `now` nothing is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from lineadmin.coupons.models import Coupon
from lineadmin.coupons.states import CLOSED
from lineadmin.i18n import _
from lineadmin.line_coupons.actions import is_over
from lineadmin.line_coupons.models import LineCoupon
from lineadmin.lottery import queries as lotteries
from lineadmin.lottery import states as lottery_states
from lineadmin.messages.references import References
from lineadmin.surveys import queries as surveys
from lineadmin.surveys import states as survey_states
from lineadmin.topics import queries as topics

SHOWN_CODE = 40  # characters of a code nobody knows

Pointed = TypeVar("Pointed")


def coupon(code: str, references: References | None, now: datetime | None) -> str:
    """What is wrong with a coupon's code."""

    def wrong(found: Coupon) -> str:
        if found.state == CLOSED:
            return _("The coupon “%(title)s” is closed.", title=found.title)
        if now is not None and found.valid_until is not None and found.valid_until <= now:
            return _("The coupon “%(title)s” has expired.", title=found.title)
        return ""

    return _judge(
        code,
        references.coupons if references else None,
        choose=_("Choose a coupon."),
        missing=_("There is no coupon “%(code)s”.", code=code[:SHOWN_CODE]),
        wrong=wrong,
    )


def line_coupon(line_id: str, references: References | None, now: datetime | None) -> str:
    """What is wrong with LINE's id of one of its own coupons."""

    def wrong(found: LineCoupon) -> str:
        if now is not None and is_over(found, now):
            return _("The LINE coupon “%(title)s” is over.", title=found.title)
        return ""

    return _judge(
        line_id,
        references.line_coupons if references else None,
        choose=_("Choose a LINE coupon."),
        missing=_("There is no LINE coupon “%(code)s”.", code=line_id[:SHOWN_CODE]),
        wrong=wrong,
    )


def lottery(code: str, references: References | None, now: datetime | None) -> str:
    """What is wrong with a lottery's code."""

    def wrong(found: lotteries.Known) -> str:
        phase = None if now is None else lottery_states.phase_of(found.lottery, now)
        if phase in (lottery_states.Phase.CLOSED, lottery_states.Phase.ENDED):
            return _("The lottery “%(title)s” is over.", title=found.lottery.title)
        return ""

    return _judge(
        code,
        references.lotteries if references else None,
        choose=_("Choose a lottery."),
        missing=_("There is no lottery “%(code)s”.", code=code[:SHOWN_CODE]),
        wrong=wrong,
    )


def topic(code: str, references: References | None) -> str:
    """What is wrong with a topic's code."""

    def wrong(found: topics.Known) -> str:
        if found.topic.archived_at is not None:
            return _("The topic “%(name)s” is archived.", name=found.topic.name)
        return ""

    return _judge(
        code,
        references.topics if references else None,
        choose=_("Choose a topic."),
        missing=_("There is no topic “%(code)s”.", code=code[:SHOWN_CODE]),
        wrong=wrong,
    )


def survey(code: str, references: References | None, now: datetime | None) -> str:
    """What is wrong with a survey's code."""

    def wrong(found: surveys.Known) -> str:
        phase = None if now is None else survey_states.phase_of(found.survey, now)
        if phase in survey_states.OVER:
            return _("The survey “%(title)s” is over.", title=found.survey.title)
        if phase is survey_states.Phase.DRAFT:
            return _("The survey “%(title)s” is a draft. Open it first.", title=found.survey.title)
        return ""

    return _judge(
        code,
        references.surveys if references else None,
        choose=_("Choose a survey."),
        missing=_("There is no survey “%(code)s”.", code=code[:SHOWN_CODE]),
        wrong=wrong,
    )


def _judge(
    code: str,
    known: Mapping[str, Pointed] | None,
    *,
    choose: str,
    missing: str,
    wrong: Callable[[Pointed], str],
) -> str:
    if not code:
        return choose
    if known is None:
        return ""
    found = known.get(code)
    return missing if found is None else wrong(found)
