"""A friend's page of a survey at /c/s/<token>: its questions on one page, and thanks for answering.

The link is signed for one friend and one sending. Who may open it is decided as for coupons and
lotteries (who.py). What she wrote comes back with every refusal, and a form that is sent
twice is one answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Flask, abort, make_response, request, url_for
from flask import render_template as render
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from lineadmin import clock, i18n, settings
from lineadmin.coupons import throttle
from lineadmin.friends.models import Friend
from lineadmin.i18n import _
from lineadmin.replies.spoken import locale_of
from lineadmin.segments.among import fitting
from lineadmin.surveys import questions as q
from lineadmin.surveys.answer import HELD, Mistakes, NotTaken, answered, gift_of, opened, take
from lineadmin.surveys.links import Link, read_token
from lineadmin.surveys.models import SurveyAnswer
from lineadmin.surveys.questions import Question, fields_of, questions_of
from lineadmin.surveys.states import Phase, phase_of, phase_sentence
from lineadmin.tracking import agents
from lineadmin.web import who
from lineadmin.web.coupon_drawn import guarded, identity_page, missing, turned_away

bp = Blueprint("survey_page", __name__)

FEW = 7  # so many choices stand side by side; more are a list to pick from


@dataclass(frozen=True)
class Asked:
    """One question as the template draws it; `kind` is the control."""

    key: str
    kind: str  # radios | checks | rating | pick | words | number | date | line
    text: str
    help: str
    required: bool
    options: list[tuple[str, Any]]
    given: list[str]
    error: str = ""


@dataclass(frozen=True)
class PageView:
    """Everything the template shows. Without `token` (previews) nothing can be sent."""

    shop_name: str
    title: str
    intro: str
    gift: str
    may_answer: bool
    questions: list[Asked] = field(default_factory=list)
    revision: int = 0
    phase_text: str = ""
    done: bool = False
    thanks: str = ""
    note: str = ""
    coupon_url: str = ""
    error: str = ""
    token: str = ""


def init_app(app: Flask) -> None:
    """Open this door; the token in the address stands for the session's."""
    app.extensions["csrf"].exempt(bp)
    app.register_blueprint(bp)


@bp.get("/c/s/<token>")
def show(token: str) -> Response:
    """The survey's page: its questions, or what came of them."""
    link = _find(token)
    refused = _turned_away(link, token)
    if refused is not None:
        return refused
    if request.method == "GET" and not agents.is_robot(request.headers):
        opened(link, now=clock.now())
    return _answer(link, token)


@bp.post("/c/s/<token>")
def send(token: str) -> Response:
    """Take the answer."""
    link = _find(token)
    refused = _turned_away(link, token)
    if refused is not None:
        return refused
    written = {key: request.form.getlist(key) for key in request.form}
    revision = request.form.get("revision", link.survey.revision, type=int)
    try:
        kept = take(link, written, revision=revision, now=clock.now(), fitting=fitting)
    except Mistakes as wrong:
        return _answer(link, token, error=str(wrong), written=written, mistakes=wrong.by_question)
    except NotTaken as not_taken:
        if not_taken.earlier is None:
            return _answer(link, token, error=str(not_taken), written=written)
        kept = not_taken.earlier
    if kept is None:
        tried = _("This was a test: nothing was kept.")
        return _drawn(_view(link, token=token, done=True, thanks=link.survey.thanks, note=tried))
    return redirect(url_for(".show", token=token), 303)


@bp.get("/e/s/<token>")
def identity(token: str) -> Response:
    """Where LINE's script asks who is there; it works below the LIFF app's address only."""
    if not who.asks_line() or read_token(token) is None:
        abort(404)
    return identity_page(f"s/{token}")


def preview(title: str, intro: str, gift: str, questions: Sequence[Question]) -> str:
    """The page as a friend will see it before she answers; for the editor."""
    page = PageView(
        settings.shop().name, title, intro, gift, may_answer=True, questions=_asked(questions)
    )
    return render("web/survey.html", page=page)


def _answer(
    link: Link,
    token: str,
    *,
    error: str = "",
    written: dict[str, list[str]] | None = None,
    mistakes: dict[str, str] | None = None,
) -> Response:
    kept = answered(link)
    if kept is not None:
        return _drawn(_thanks(link, kept, token))
    phase = phase_of(link.survey, clock.now())
    page = _view(
        link,
        token=token,
        may_answer=phase is Phase.OPEN,
        phase_text=phase_sentence(link.survey, phase),
        questions=_asked(questions_of(link.survey), written, mistakes),
        revision=link.survey.revision,
        error=error,
    )
    return _drawn(page, 400 if error else 200)


def _thanks(link: Link, kept: SurveyAnswer, token: str) -> PageView:
    copy = gift_of(kept)
    note = ""
    if copy is None and kept.no_gift == HELD:
        note = _("You have this coupon already; look into our chat.")
    elif copy is None and kept.no_gift:
        note = _("We are sorry: the gift has run out or is not given out now.")
    return _view(
        link,
        token=token,
        done=True,
        thanks=link.survey.thanks,
        note=note,
        coupon_url=url_for("coupon_page.show", token=copy.token) if copy is not None else "",
    )


def _view(link: Link, *, token: str, **more: Any) -> PageView:
    survey = link.survey
    return PageView(
        **{
            "shop_name": settings.shop().name,
            "title": survey.title,
            "intro": survey.intro,
            "gift": survey.coupon.title if survey.coupon is not None else "",
            "may_answer": False,
            "token": token,
            **more,
        }
    )


def _drawn(page: PageView, status: int = 200) -> Response:
    return guarded(make_response(render("web/survey.html", page=page), status))


def _asked(
    questions: Sequence[Question],
    written: dict[str, list[str]] | None = None,
    mistakes: dict[str, str] | None = None,
) -> list[Asked]:
    fields = fields_of(questions)
    asked = []
    for question in questions:
        own = fields.get(question.field)
        if question.type == q.FIELD and own is None:
            continue  # the field was deleted
        options = question.options(own)
        kind = _kind(question, own.type if own is not None else "", len(options))
        asked.append(
            Asked(
                question.key,
                kind,
                question.text,
                question.help,
                question.required,
                options,
                list((written or {}).get(question.key, [])),
                (mistakes or {}).get(question.key, ""),
            )
        )
    return asked


def _kind(question: Question, own_type: str, options: int) -> str:
    if question.type == q.SEVERAL:
        return "checks"
    if question.type == q.RATING:
        return "rating"
    if options:
        picked = question.type == q.REGION or (question.type == q.FIELD and options > FEW)
        return "pick" if picked else "radios"
    kinds = {q.TEXT: "words", q.NUMBER: "number", q.DATE: "date", q.BIRTH_YEAR: "year"}
    if question.type == q.FIELD:
        return {"number": "number", "date": "date"}.get(own_type, "line")
    return kinds[question.type]


def _turned_away(link: Link, token: str) -> Response | None:
    text = _("Only the friend who got it can answer with it. Ask us for one of your own.")
    return turned_away(link.friend_id, url_for(".identity", token=token), text)


def _find(token: str) -> Link:
    """What the link says; from here on the page speaks its friend's language."""
    counted = throttle.address_key(request.remote_addr or "")
    wall = clock.wall()
    try:
        throttle.check(counted, wall=wall)
    except throttle.TooManyTries as refused:
        abort(missing(429, _("Please wait a moment"), str(refused)))
    found = read_token(token)
    if found is None:
        throttle.miss(counted, wall=wall)
        text = _(
            "The link may be incomplete. Go back to the chat in LINE and tap the survey again."
        )
        abort(missing(404, _("This survey was not found"), text))
    friend = Friend.get_or_none(Friend.id == found.friend_id)
    if friend is not None and friend.language:
        i18n.set_locale(locale_of(friend.language))
    return found
