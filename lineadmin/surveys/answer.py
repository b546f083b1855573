"""Taking an answer: kept once, with the tags, attributes and the gift that come of it."""

from __future__ import annotations

from datetime import datetime

from lineadmin import journal
from lineadmin.coupons.issue import Fitting, Refusal, issue_one
from lineadmin.coupons.models import CouponIssue
from lineadmin.db import atomic, insert_rows
from lineadmin.errors import DomainError
from lineadmin.friends import learn, own_word
from lineadmin.friends.models import FRIEND, Friend, FriendTag, Tag
from lineadmin.friends.tags import add_tag, remove_tag
from lineadmin.i18n import DEFAULT_LOCALE, _, _l, use_locale
from lineadmin.line.text import cut_to_graphemes
from lineadmin.surveys.links import Link
from lineadmin.surveys.locking import locked
from lineadmin.surveys.models import Survey, SurveyAnswer, SurveyOpening, SurveyReply
from lineadmin.surveys.questions import CHOSEN, RATING, Question, questions_of
from lineadmin.surveys.replies import Read, Written, read
from lineadmin.surveys.sendings import TEST, month_of
from lineadmin.surveys.states import SENDING, Phase, phase_of, phase_sentence

ORIGIN = "survey"  # of copies of the gift and of tags
LONGEST_SAID = 80
HELD = "held"  # she was shown the copy she has: no gift

_COLUMNS = (
    SurveyReply.survey_id,
    SurveyReply.answer,
    SurveyReply.question,
    SurveyReply.choice,
    SurveyReply.number,
    SurveyReply.text,
    SurveyReply.sending_id,
    SurveyReply.month,
)


class NotTaken(DomainError):
    """No answer; `outcome` tells why: a phase, "stranger" or "already" (`earlier` is that one)."""

    def __init__(self, message: object, outcome: str, earlier: SurveyAnswer | None = None) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.earlier = earlier


class Mistakes(DomainError):
    """Something that was filled in cannot be; `by_question` holds the sentences."""

    def __init__(self, by_question: dict[str, str]) -> None:
        super().__init__(_l("Please look at the marked questions again."))
        self.by_question = by_question


def take(
    link: Link,
    written: Written,
    *,
    revision: int,
    now: datetime,
    fitting: Fitting | None = None,
) -> SurveyAnswer | None:
    """Keep what a friend filled in. Sent twice, even at once, it is one answer and one gift.

    None for a test send: it is judged like any other, and nothing is kept.

    :param revision: the number of the questions she saw
    :param fitting: who fits the condition of the gift's coupon, as issue_many wants it
    :raises NotTaken: not now, not she, or not again
    :raises Mistakes: what was filled in cannot be
    """
    with atomic():
        survey = locked(link.survey.id)
        asked = questions_of(survey, revision) or questions_of(survey)
        _check(survey, link, now)
        found = read(asked, written, now=now)
        if found.mistakes:
            raise Mistakes(found.mistakes)
        if link.sending.origin == TEST:
            return None
        answer: SurveyAnswer = SurveyAnswer.create(
            survey=survey.id,
            friend_id=link.friend_id,
            sitting=link.sending.id if survey.repeat == SENDING else 0,
            sending=link.sending.id,
            revision=revision if questions_of(survey, revision) else survey.revision,
            month=month_of(now),
            at=now,
        )
        _keep(answer, found)
        _set_tags(survey, link.friend_id, asked, found, now)
        own_word.tell(link.friend_id, found.known, found.own, at=now)
        _give(survey, answer, now, fitting)
        Survey.update(answers=Survey.answers + 1).where(Survey.id == survey.id).execute()
        learn.seen(link.friend_id, at=now)
        journal.record(
            link.friend_id,
            "survey.answered",
            object_id=survey.id,
            value={"answer": answer.id, "sending": link.sending.id, "said": _said(asked, found)},
            at=now,
        )
    return answer


def answered(link: Link) -> SurveyAnswer | None:
    """The answer that keeps this link from being answered again."""
    mine = (SurveyAnswer.survey == link.survey.id) & (SurveyAnswer.friend_id == link.friend_id)
    if link.survey.repeat == SENDING:
        mine &= SurveyAnswer.sending == link.sending.id
    found: SurveyAnswer | None = (
        SurveyAnswer.select().where(mine).order_by(SurveyAnswer.id.desc()).first()
    )
    return found


def opened(link: Link, *, now: datetime) -> None:
    """Note that she has seen the page of this sending; only the first time counts."""
    if link.sending.origin == TEST:
        return
    SurveyOpening.insert(
        survey=link.survey.id, sending=link.sending.id, friend_id=link.friend_id, at=now
    ).on_conflict_ignore().execute()


def gift_of(answer: SurveyAnswer) -> CouponIssue | None:
    """Her copy of the gift, where this answer or an earlier one brought it."""
    issue_id = answer.issue_id or _gift_before(answer)
    return CouponIssue.get_or_none(CouponIssue.id == issue_id) if issue_id else None


def _check(survey: Survey, link: Link, now: datetime) -> None:
    earlier = answered(Link(survey, link.friend_id, link.sending))
    if earlier is not None:
        raise NotTaken(_l("You have answered already. Thank you!"), "already", earlier)
    phase = phase_of(survey, now)
    if phase is not Phase.OPEN:
        raise NotTaken(phase_sentence(survey, phase), phase.value)
    friend = Friend.get_or_none(Friend.id == link.friend_id)
    if friend is None or friend.status != FRIEND:
        raise NotTaken(_l("Add us as a friend on LINE first, then answer."), "stranger")


def _keep(answer: SurveyAnswer, found: Read) -> None:
    place = (answer.sending_id, answer.month)
    insert_rows(
        _COLUMNS,
        [
            (answer.survey_id, answer.id, key, value.choice, value.number, value.text, *place)
            for key, values in found.values.items()
            for value in values
        ],
    )


def _said(asked: list[Question], found: Read) -> str:
    """What she chose, for her timeline; what she wrote is read in the survey's results."""
    chosen = [
        label
        for question in asked
        if question.type in (*CHOSEN, RATING)
        for value, label in question.options()
        if value in {one.choice for one in found.values.get(question.key, [])}
    ]
    with use_locale(DEFAULT_LOCALE):  # it is stored for staff, whatever she speaks
        return cut_to_graphemes(_(", ").join(chosen), LONGEST_SAID)


def _set_tags(
    survey: Survey, friend_id: int, asked: list[Question], found: Read, now: datetime
) -> None:
    """Tags of what she chose. Those this survey once set for another choice of the same question
    go: her latest answer holds."""
    wanted: set[int] = set()
    others: set[int] = set()
    for question in asked:
        if question.type not in CHOSEN or question.key not in found.values:
            continue
        chosen = {value.choice for value in found.values[question.key]}
        for choice in question.choices:
            (wanted if choice.key in chosen else others).update(choice.tags)
    live = Tag.select(Tag.id).where(Tag.id.in_(sorted(wanted)), Tag.archived_at.is_null())
    for row in live:
        add_tag(friend_id, row.id, at=now, by_kind=ORIGIN, by_id=survey.id)
    stale = FriendTag.select(FriendTag.tag).where(
        FriendTag.friend == friend_id,
        FriendTag.tag.in_(sorted(others - wanted)),
        FriendTag.by_kind == ORIGIN,
        FriendTag.by_id == survey.id,
    )
    for tag_id in [held.tag_id for held in stale]:
        remove_tag(friend_id, tag_id, at=now, by_kind=ORIGIN)


def _give(survey: Survey, answer: SurveyAnswer, now: datetime, fitting: Fitting | None) -> None:
    if survey.coupon is None or (not survey.gift_each and _gift_before(answer)):
        return
    origin_id = answer.id if survey.gift_each else survey.id
    copy = issue_one(
        survey.coupon,
        answer.friend_id,
        origin=ORIGIN,
        origin_id=origin_id,
        now=now,
        fitting=fitting,
    )
    if isinstance(copy, Refusal):
        answer.no_gift = str(copy.reason)
    elif (copy.origin, copy.origin_id) != (ORIGIN, origin_id):
        answer.no_gift = HELD
    else:
        answer.issue_id = copy.id
    answer.save()


def _gift_before(answer: SurveyAnswer) -> int | None:
    """The copy an earlier answer of hers to this survey brought."""
    earlier = (
        SurveyAnswer.select(SurveyAnswer.issue_id)
        .where(
            SurveyAnswer.survey == answer.survey_id,
            SurveyAnswer.friend_id == answer.friend_id,
            SurveyAnswer.issue_id.is_null(False),
        )
        .order_by(SurveyAnswer.id.desc())
        .first()
    )
    return None if earlier is None else int(earlier.issue_id)
