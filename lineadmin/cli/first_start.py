"""What happens once, on an empty database: the owner is let in, and a demo becomes a shop."""

from __future__ import annotations

from lineadmin import clock
from lineadmin.config import Config
from lineadmin.staff import actions


def first_start(config: Config) -> None:
    """Create the owner of OWNER_EMAIL and OWNER_PASSWORD where nobody is here yet.

    :raises DomainError: the password is too easy to guess
    """
    if config.owner_email and config.owner_password:
        actions.ensure_first_owner(config.owner_email, config.owner_password, wall=clock.wall())
