"""Step messages that start when a friend has answered a survey."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin import shopfile
from lineadmin.sequences import actions
from lineadmin.sequences.dry_start import Imaginary
from lineadmin.sequences.models import Enrolment, Sequence, SequenceVersion
from tests.conftest import NOON
from tests.factories import make_friend
from tests.panel import panel_of
from tests.sequences.rehearsing import everything, rehearse, told
from tests.sequences.stage import TAIPEI, planned, publish, step, tick
from tests.surveys.making import SCORE, keys_of, link_of, make_survey, path_of

TRIGGER = {"survey_answered": "taste"}


@pytest.fixture
def client(app: Any, clock: Any) -> Any:
    """A friend's browser."""
    return app.test_client()


def test_an_answer_starts_her_once_and_only_that_surveys(client: Any) -> None:
    taste = make_survey(SCORE, code="taste", repeat="sending")
    other = make_survey(SCORE, code="other", title="別的問卷")
    row = publish(step(1, "10:00"), trigger=TRIGGER, now=NOON, name="謝謝你的意見")
    hana, taro = make_friend("小花"), make_friend("太郎")
    for survey, friend, place in ((taste, hana, 1), (taste, hana, 2), (other, taro, 1)):
        score = {keys_of(survey)[SCORE.text]: "4"}
        answer = client.post(path_of(link_of(survey, friend, place=place)), data=score)
        assert answer.status_code == 303
    tick(NOON)
    (run,) = Enrolment.select()
    assert (run.friend_id, run.sequence_id, run.state) == (hana.id, row.id, "active")
    tick(run.next_at)
    day = run.next_at.astimezone(TAIPEI)
    assert planned(hana) == [(1, f"{day:%m-%d} 10:00", "")]
    assert planned(taro) == []


def test_a_dry_run_answers_it_for_her_and_keeps_nothing(client: Any) -> None:
    make_survey(SCORE, code="taste")
    row = publish(step(1), step(7), trigger=TRIGGER, now=NOON)
    before = everything()
    assert len(told(rehearse(row, Imaginary(name="小華"), now=NOON))) == 2
    assert everything() == before


def test_it_is_chosen_in_the_editor_and_comes_out_in_the_shop_file(client: Any) -> None:
    make_survey(SCORE, code="taste", title="口味調查")
    row = publish(step(1), now=NOON, name="謝謝你的意見")
    manager = panel_of(client.application, "manager")
    address = f"/admin/sequences/{row.id}/trigger/"
    form = {"version": row.version, "who": "survey_answered", "days": "0"}
    assert "請選擇問卷。" in manager.post(address, form).text
    assert manager.post(address, {**form, "survey": "taste"}).status_code == 302
    page = manager.get(f"/admin/sequences/{row.id}/?at=trigger").text
    assert "回答問卷「口味調查」" in page
    assert '<option selected value="taste">口味調查</option>' in page
    actions.publish(
        row.id, version=None, staff=None, now=NOON, wall=NOON, public_url="https://x.example"
    )
    written = shopfile.dump()
    assert "survey_answered: taste" in written
    SequenceVersion.delete().execute()
    Sequence.delete().execute()
    report = shopfile.load(written, staff=None, now=NOON, wall=NOON)
    assert report.created == [("sequence", "謝謝你的意見")]
    assert shopfile.dump() == written
