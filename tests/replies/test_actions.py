"""Writing keyword replies and the greeting."""

import pytest

from lineadmin import clock
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends import actions as friends
from lineadmin.replies import actions, greeting
from lineadmin.replies.models import ReplyRule
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.factories import make_staff

HELLO = [{"text": "您好"}]


def spec(**more):
    return actions.RuleSpec(**{"keywords": ["菜單"], "messages": HELLO, **more})


def create(**more):
    return actions.create_rule(spec(**more), staff=make_staff(), now=NOON, wall=clock.wall())


def edit(rule, version=None, **more):
    return actions.edit_rule(
        rule, spec(**more), staff=None, now=NOON, wall=clock.wall(), version=version
    )


def test_a_reply_is_kept_with_its_keywords_once_each(db):
    rule = create(keywords=["菜單", "Menu", "ＭＥＮＵ ", "", "菜單"], priority=7)
    assert (rule.keywords, rule.priority, rule.parts) == (["菜單", "Menu"], 7, HELLO)
    assert Audit.get(Audit.action == "reply.create").object_label == "菜單、Menu"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"keywords": []}, "keywords"),
        ({"keywords": ["  "]}, "keywords"),
        ({"keywords": ["x" * 101]}, "keywords"),
        ({"keywords": [f"w{number}" for number in range(51)]}, "keywords"),
        ({"match": "regex"}, "match"),
        ({"priority": -1}, "priority"),
        ({"priority": 1001}, "priority"),
        ({"hours_from": "09:00"}, "hours_until"),
        ({"hours_from": "9", "hours_until": "18:00"}, "hours_from"),
        ({"hours_from": "09:00", "hours_until": "09:00"}, "hours_until"),
        ({"add_tags": [99]}, "add_tags"),
        ({"messages": []}, "messages"),
        ({"messages": [{"text": ""}]}, "messages"),
        ({"messages": [{"text": "x" * 5001}]}, "messages"),
        ({"messages": [{"coupon": "nowhere"}]}, "messages"),
        ({"title": "t" * 61}, "title"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(db, wrong, field):
    with pytest.raises(DomainError) as refused:
        create(**wrong)
    assert refused.value.field == field
    assert ReplyRule.select().count() == 0


def test_a_reply_to_everything_else_needs_no_keywords(db):
    assert create(match="any", keywords=["ignored"]).keywords == []


def test_saving_the_same_changes_nothing(db):
    rule = create()
    assert not edit(rule)
    assert edit(rule, priority=11)
    again = ReplyRule.get_by_id(rule.id)
    assert (again.priority, again.version) == (11, 2)


def test_the_second_of_two_tabs_is_told(db):
    rule = create()
    assert edit(rule, version=1, priority=11)
    with pytest.raises(Conflict):
        edit(ReplyRule.get_by_id(rule.id), version=1, priority=12)


def test_switching_off_and_on_and_deleting(db):
    rule = create()
    switch = {"staff": None, "wall": clock.wall()}
    assert actions.enable_rule(rule, enabled=False, **switch)
    assert not actions.enable_rule(rule, enabled=False, **switch)
    assert actions.delete_rule(rule, **switch)
    assert not actions.delete_rule(rule, **switch)
    told = [row.action for row in Audit.select().order_by(Audit.id)]
    assert told == ["reply.create", "reply.disable", "reply.delete"]


def test_tags_of_a_reply_are_kept_by_id(db):
    tag = friends.create_tag("問過菜單", staff=None, now=NOON, wall=clock.wall())
    assert create(add_tags=[tag.id, tag.id]).add_tags == [tag.id]


def test_a_rule_is_written_as_it_is_read(db):
    rule = create(hours_from="09:00", hours_until="18:00", title="菜單")
    assert not actions.edit_rule(
        rule, actions.spec_of(rule), staff=None, now=NOON, wall=clock.wall()
    )


def save(version=None, **more):
    values = {"messages": HELLO, "returning": [], **more}
    return greeting.save(**values, staff=None, now=NOON, wall=clock.wall(), version=version)


def test_the_greeting_is_kept_and_versioned(db):
    assert greeting.current() == greeting.Greeting()
    assert save(version=0)
    assert not save()
    found = greeting.current()
    assert found.parts_for(first=True) == HELLO
    assert found.parts_for(first=False) == []
    with pytest.raises(Conflict):
        save(version=0, returning=HELLO)


def test_a_greeting_that_could_not_be_sent_is_refused(db):
    with pytest.raises(DomainError) as refused:
        save(returning=[{"text": "{nom}"}])
    assert refused.value.field == "returning"
    assert greeting.current().messages == []


def test_an_empty_greeting_switches_it_off(db):
    save()
    assert save(messages=[])
    assert greeting.current().messages == []
