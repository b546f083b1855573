import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineadmin.i18n import LOCALES, use_locale
from lineadmin.line.errors import (
    Detail,
    LineAuthFailed,
    LineError,
    LineQuotaExhausted,
    LineRateLimited,
    LineRefused,
    LineUnclear,
    LineUnreachable,
    classify,
    sentence,
)

RATE = json.dumps({"message": "The API rate limit has been exceeded. Try again later."})
MONTH = json.dumps({"message": "You have reached your monthly limit."})


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, '{"message":"Invalid reply token"}', LineRefused),
        (401, '{"message":"Authentication failed"}', LineAuthFailed),
        (403, '{"message":"Not available"}', LineAuthFailed),
        (404, '{"message":"Not found"}', LineRefused),
        (410, "", LineRefused),
        (413, "<html>too large</html>", LineRefused),
        (429, RATE, LineRateLimited),
        (429, "", LineRateLimited),
        (429, MONTH, LineQuotaExhausted),
        (500, "", LineUnclear),
        (502, "<html>bad gateway</html>", LineUnclear),
        (302, "", LineUnclear),
        (408, "", LineUnclear),
        (409, '{"message":"The retry key is already accepted"}', LineUnclear),
    ],
)
def test_each_answer_has_its_kind(status, body, kind):
    assert type(classify(status, {}, body.encode())) is kind


def test_only_an_unclear_end_may_have_been_sent():
    kinds = LineError.__subclasses__()
    assert [kind for kind in kinds if not kind.certainly_not_sent] == [LineUnclear]


def test_lines_explanation_is_kept():
    body = {"message": "Bad", "details": [{"message": "too long", "property": "messages[0].text"}]}
    error = classify(400, {"X-Line-Request-Id": "req-1"}, json.dumps(body))
    assert error.request_id == "req-1"
    assert error.details == (Detail("too long", "messages[0].text"),)
    assert "messages[0].text" in sentence(error)


def test_a_proxys_retry_after_is_kept():
    assert classify(429, {"Retry-After": "7"}, RATE).retry_after_seconds == 7
    assert classify(429, {"Retry-After": "Mon, 1 Jan"}, RATE).retry_after_seconds is None


@given(
    st.integers(min_value=300, max_value=599),
    st.one_of(
        st.none(),
        st.binary(max_size=80),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["message", "details", "property", "x"]), inner)
            ),
        ).map(json.dumps),
    ),
)
def test_no_answer_is_too_strange(status, body):
    error = classify(status, {}, body)
    assert isinstance(error, LineError)
    assert sentence(error)


@pytest.mark.parametrize("locale", [code for code in LOCALES if code != "en"])
def test_every_sentence_is_translated(locale):
    errors = [
        LineAuthFailed(401),
        LineAuthFailed(403),
        LineQuotaExhausted(429),
        LineRateLimited(429),
        LineUnreachable(),
        LineUnclear(),
        LineUnclear(500),
        LineRefused(404),
        LineRefused(410),
        LineRefused(413),
        LineRefused(400),
        LineRefused(400, message="why"),
        LineRefused(400, message="Invalid reply token"),
    ]
    for error in errors:
        with use_locale("en"):
            english = sentence(error)
        with use_locale(locale):
            assert sentence(error) != english
