"""Passwords: hashed with argon2id, judged by length, never stored or logged."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 200  # characters; argon2 reads them all, so there has to be an end

# 19 MiB and 2 passes (OWASP's floor): four sign-ins at once still fit a 512 MB dyno.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# Nobody's password: compared against when the address is unknown, so that both take as long.
_nobody = _hasher.hash(secrets.token_urlsafe(16))

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without l, i, o, 0, 1: it is read out and typed

_FAMOUS = {"password", "passw0rd", "qwertyuiop", "1234567890", "iloveyou", "administrator"}


def hash_password(password: str) -> str:
    """The argon2id hash to keep."""
    return _hasher.hash(password)


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether `password` is the one behind the hash. None (nobody) takes as long and is False."""
    try:
        right = _hasher.verify(password_hash or _nobody, password[: MAXIMUM_LENGTH + 1])
    except (Argon2Error, InvalidHashError):
        return False
    return right and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with older, weaker settings and should be renewed."""
    return _hasher.check_needs_rehash(password_hash)


def random_password() -> str:
    """A password to hand over once: four groups of four, about 78 bits."""
    groups = ("".join(secrets.choice(_ALPHABET) for _i in range(4)) for _j in range(4))
    return "-".join(groups)


def check_strength(password: str, *, email: str, name: str = "") -> None:
    """Refuse what is too easy to guess.

    :raises DomainError: too short, too long, famous, or the person's own name or address
    """
    if len(password) < MINIMUM_LENGTH:
        raise DomainError(
            _("Use at least %(count)s characters.", count=MINIMUM_LENGTH), field="new_password"
        )
    if len(password) > MAXIMUM_LENGTH:
        raise DomainError(
            _("Use at most %(count)s characters.", count=MAXIMUM_LENGTH), field="new_password"
        )
    plain = password.casefold()
    own = {part.casefold() for part in (email, email.split("@")[0], name) if part}
    few = len(set(plain)) < 5
    if few or plain in own or any(word in plain for word in _FAMOUS):
        raise DomainError(
            _l("This password is too easy to guess. Several words in a row work well."),
            field="new_password",
        )
