import json

from hypothesis import given
from hypothesis import strategies as st

from lineadmin.line.signature import sign, verify

SECRET = "0123456789abcdef0123456789abcdef"


def test_a_body_signed_with_our_secret_is_from_line():
    # Worked out apart from our code:
    # printf '{"events":[]}' | openssl dgst -sha256 -hmac secret -binary | base64
    assert sign(b'{"events":[]}', "secret") == "pkK1lVPJPiJ+wPLziRD79xIxohl8AImYM8AEeM7IbzQ="
    assert verify(b'{"events":[]}', "pkK1lVPJPiJ+wPLziRD79xIxohl8AImYM8AEeM7IbzQ=", "secret")


def test_a_missing_or_empty_header_is_a_no():
    assert not verify(b"{}", None, SECRET)
    assert not verify(b"{}", "", SECRET)


def test_without_a_secret_nothing_is_genuine():
    assert not verify(b"{}", sign(b"{}", ""), "")


@given(st.binary(max_size=200), st.text(max_size=60))
def test_nonsense_in_the_header_is_a_no_and_never_an_error(body, header):
    assert verify(body, header, SECRET) == (header == sign(body, SECRET))


@given(st.binary(min_size=1, max_size=200), st.integers(min_value=0))
def test_one_changed_byte_breaks_the_signature(body, place):
    changed = bytearray(body)
    changed[place % len(body)] ^= 1
    assert not verify(bytes(changed), sign(body, SECRET), SECRET)


def test_the_bytes_count_not_the_json():
    body = json.dumps({"events": []}).encode()
    assert not verify(body.replace(b" ", b""), sign(body, SECRET), SECRET)
