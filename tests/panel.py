"""The panel as a person of a given role: signed in, with the CSRF token in every form."""

from __future__ import annotations

import html
import re
from typing import Any

from flask import Flask

from lineadmin import clock
from lineadmin.staff import passwords, sessions
from lineadmin.staff.models import Staff
from tests.factories import make_staff

PASSWORD = "three words together"


class Panel:
    """A browser without JavaScript in which `staff` is signed in."""

    def __init__(self, app: Flask, staff: Staff) -> None:
        self.staff = staff
        self.client = app.test_client()
        self.token = sessions.start(staff, address="127.0.0.1", browser="Tests", wall=clock.wall())
        with self.client.session_transaction() as session:
            session["_user_id"] = self.token
            session["_fresh"] = True
        self._csrf = ""

    def get(self, address: str, **more: Any) -> Any:
        """GET a page."""
        return self.client.get(address, **more)

    def post(self, address: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        """POST a form with its CSRF token."""
        return self.client.post(address, data={"csrf_token": self.csrf(), **(data or {})}, **more)

    def csrf(self) -> str:
        """A token that fits this browser's session."""
        if not self._csrf:
            self._csrf = csrf_of(self.client.get("/admin/profile/password").text)
        return self._csrf


def panel_of(app: Flask, role: str = "owner", **fields: Any) -> Panel:
    """A new member of staff with that role, signed in."""
    return Panel(app, make_staff(role, **fields))


def with_password(role: str = "owner", **fields: Any) -> Staff:
    """A member of staff who can sign in through the form, with PASSWORD."""
    return make_staff(role, password_hash=passwords.hash_password(PASSWORD), **fields)


def csrf_of(page: str) -> str:
    """The CSRF token in a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page[:500]
    return found.group(1)


def hidden_of(page: str) -> dict[str, str]:
    """The hidden fields of a page, by name."""
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in pairs}


def flashes_of(page: str) -> list[str]:
    """What the page says on top."""
    return [
        html.unescape(text)
        for text in re.findall(r'<div class="flash [^"]*".*?<div>(.*?)</div>', page, re.S)
    ]
