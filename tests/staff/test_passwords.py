"""Passwords: hashed, judged, never guessable by their timing."""

from __future__ import annotations

import pytest

from lineadmin.errors import DomainError
from lineadmin.staff import passwords


def test_only_the_right_password_is_right():
    kept = passwords.hash_password("three words together")
    assert kept.startswith("$argon2id$")
    assert "three words" not in kept
    assert passwords.is_right(kept, "three words together")
    assert not passwords.is_right(kept, "three words togethe")
    assert not passwords.is_right(None, "three words together")
    assert not passwords.is_right("!", "anything")


@pytest.mark.parametrize(
    "weak",
    ["short", "aaaaaaaaaaaa", "Password123", "mei@example.com", "12345678901", "x" * 201],
)
def test_weak_passwords_are_refused_beside_their_field(weak):
    with pytest.raises(DomainError) as refused:
        passwords.check_strength(weak, email="mei@example.com", name="小美")
    assert refused.value.field == "new_password"


def test_a_random_password_is_strong_and_never_the_same():
    made = {passwords.random_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        passwords.check_strength(password, email="mei@example.com")


def test_a_hash_of_older_settings_is_renewed():
    from argon2 import PasswordHasher

    older = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("three words together")
    assert passwords.is_outdated(older)
    assert not passwords.is_outdated(passwords.hash_password("three words together"))
