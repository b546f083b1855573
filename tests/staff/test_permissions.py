"""Roles and verbs: the table of the design, word for word."""

from __future__ import annotations

import pytest

from lineadmin.errors import NotAllowed
from lineadmin.i18n import LOCALES, use_locale
from lineadmin.staff import permissions
from lineadmin.staff.permissions import (
    MATRIX,
    ROLE_LABELS,
    ROLE_SUMMARIES,
    ROLES,
    VERB_LABELS,
    VERBS,
    may,
)
from tests.factories import make_staff

ALLOWED = {
    "viewer": {"view"},
    "staff": {"view", "redeem", "record", "lookup"},
    "manager": {"view", "redeem", "record", "lookup", "compose", "send", "tag", "import", "edit"},
    "owner": set(VERBS),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", VERBS)
def test_each_role_may_what_the_design_says(role, verb):
    assert may(role, verb) is (verb in ALLOWED[role])


def test_somebody_switched_off_or_unknown_may_nothing(db):
    gone = make_staff("owner", active=False)
    assert not any(may(gone, verb) for verb in VERBS)
    assert not any(may(None, verb) for verb in VERBS)
    assert not any(may("king", verb) for verb in VERBS)


def test_a_misspelt_verb_is_an_error_and_not_a_refusal():
    with pytest.raises(KeyError):
        may("owner", "sned")


def test_a_refusal_names_the_verb_and_who_may(db):
    with pytest.raises(NotAllowed) as refused, use_locale("zh_Hant_TW"):
        permissions.check(make_staff("staff"), "send")
    assert "店員" in str(refused.value)
    assert "傳送訊息" in str(refused.value)
    assert "店主、管理員" in str(refused.value)


@pytest.mark.parametrize("locale", [code for code in LOCALES if code != "en"])
def test_every_role_and_verb_has_a_translated_label(locale):
    assert set(MATRIX) == set(ROLE_LABELS) == set(ROLE_SUMMARIES)
    for label in (*ROLE_LABELS.values(), *ROLE_SUMMARIES.values(), *VERB_LABELS.values()):
        with use_locale("en"):
            english = str(label)
        with use_locale(locale):
            assert str(label) != english
