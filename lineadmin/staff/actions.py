"""What happens to people: hired, given a role, switched off, signing in, changing passwords."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from peewee import IntegrityError

from lineadmin.db import atomic, is_postgres
from lineadmin.errors import Conflict, DomainError, NotAllowed
from lineadmin.i18n import LOCALES, _, _l, _n
from lineadmin.staff import audit, passwords, permissions, sessions, throttle
from lineadmin.staff.models import Staff, StaffSession

EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")
LONGEST_NAME = 60


def create(
    email: str,
    name: str,
    role: str,
    *,
    by: Staff | None,
    wall: datetime,
    password: str | None = None,
    locale: str = LOCALES[0],
) -> tuple[Staff, str]:
    """Add a person; the new row and the password (random, and to be changed, where none is given).

    `by` None is the shell or the first start.

    :raises DomainError: a bad address, name or role, a weak password, or the address is taken
    :raises NotAllowed: `by` may not manage people
    """
    _check_people(by)
    email, name = _clean_email(email), _clean_name(name or email.split("@")[0])
    _check_role(role)
    chosen = password is not None
    if password is None:
        password = passwords.random_password()
    else:
        passwords.check_strength(password, email=email, name=name)
    password_hash = passwords.hash_password(password)
    try:
        with atomic():
            staff: Staff = Staff.create(
                email=email,
                name=name,
                role=role,
                password_hash=password_hash,
                locale=locale if locale in LOCALES else LOCALES[0],
                must_change_password=not chosen,
                created_at=wall,
            )
            after = {"email": email, "name": name, "role": role}
            audit.record(by, "staff.create", "staff", staff.id, name, None, after, wall=wall)
    except IntegrityError:
        raise DomainError(
            _("Somebody with the address %(email)s is here already.", email=email), field="email"
        ) from None
    return staff, password


def ensure_first_owner(
    email: str, password: str, *, wall: datetime, name: str = "", locale: str = LOCALES[0]
) -> Staff | None:
    """On an empty house, let the owner in; None when anybody is here already."""
    if Staff.select().exists():
        return None
    with atomic():
        if Staff.select().exists():
            return None
        owner, _password = create(
            email, name, permissions.OWNER, by=None, wall=wall, password=password, locale=locale
        )
    return owner


def set_role(staff_id: int, role: str, *, by: Staff, version: int, wall: datetime) -> None:
    """Give a person another role; their sessions go on with it at once.

    :raises DomainError: unknown role, or it would leave the shop without an owner
    :raises Conflict: somebody else changed this person first
    """
    _check_people(by)
    _check_role(role)
    with atomic():
        staff = _locked(staff_id)
        if staff.role == role:
            return
        if staff.role == permissions.OWNER:
            _keep_an_owner(staff)
        _change(staff, version, role=role)
        _record(by, "staff.role", staff, {"role": staff.role}, {"role": role}, wall)


def edit(staff_id: int, *, name: str, email: str, by: Staff, version: int, wall: datetime) -> None:
    """Correct a person's name or address.

    :raises DomainError: a bad name or address, or the address is taken
    :raises Conflict: somebody else changed this person first
    """
    _check_people(by)
    name, email = _clean_name(name), _clean_email(email)
    try:
        with atomic():
            staff = _locked(staff_id)
            before = {"name": staff.name, "email": staff.email}
            after = {"name": name, "email": email}
            if before == after:
                return
            _change(staff, version, **after)
            _record(by, "staff.edit", staff, before, after, wall)
    except IntegrityError:
        raise DomainError(
            _("Somebody with the address %(email)s is here already.", email=email), field="email"
        ) from None


def deactivate(staff_id: int, *, by: Staff, version: int, wall: datetime) -> None:
    """Switch a person off: every session ends at once, the name stays in the audit log.

    :raises DomainError: yourself, or the last owner
    :raises Conflict: somebody else changed this person first
    """
    _check_people(by)
    if staff_id == by.id:
        raise DomainError(_l("You cannot deactivate yourself; another owner can."))
    with atomic():
        staff = _locked(staff_id)
        if not staff.active:
            return
        if staff.role == permissions.OWNER:
            _keep_an_owner(staff)
        _change(staff, version, active=False)
        sessions.end_all(staff, wall=wall)
        _record(by, "staff.deactivate", staff, {"active": True}, {"active": False}, wall)


def reactivate(staff_id: int, *, by: Staff, version: int, wall: datetime) -> None:
    """Let a person in again, with the old password and role.

    :raises Conflict: somebody else changed this person first
    """
    _check_people(by)
    with atomic():
        staff = _locked(staff_id)
        if staff.active:
            return
        _change(staff, version, active=True)
        _record(by, "staff.reactivate", staff, {"active": False}, {"active": True}, wall)


def reset_password(
    staff_id: int, *, by: Staff | None, wall: datetime, password: str | None = None
) -> str:
    """A new password, to be shown once; every session of the person ends, throttling too.

    A random one has to be changed at the next sign-in; one chosen in the shell need not.

    :raises DomainError: nobody has this id, or the given password is weak
    """
    _check_people(by)
    chosen = password is not None
    staff = _found(staff_id)
    if password is None:
        password = passwords.random_password()
    else:
        passwords.check_strength(password, email=staff.email, name=staff.name)
    password_hash = passwords.hash_password(password)
    with atomic():
        Staff.update(password_hash=password_hash, must_change_password=not chosen).where(
            Staff.id == staff_id
        ).execute()
        sessions.end_all(staff_id, wall=wall)
        throttle.forgive(staff.email, "")
        _record(by, "staff.password_reset", staff, None, None, wall)
    return password


def change_password(
    staff: Staff, old: str, new: str, *, keep_session: int | None, wall: datetime
) -> None:
    """Change one's own password; every other session ends.

    :raises DomainError: the old one is wrong (field old_password), or the new one is weak
    """
    blocked = throttle.admit(staff.email, "", wall=wall)
    if blocked is not None:
        raise DomainError(_wait_sentence(blocked, wall), field="old_password")
    if not passwords.is_right(staff.password_hash, old):
        raise DomainError(_l("This is not your present password."), field="old_password")
    passwords.check_strength(new, email=staff.email, name=staff.name)
    if old == new:
        raise DomainError(_l("Choose a password you have not used yet."), field="new_password")
    password_hash = passwords.hash_password(new)
    with atomic():
        throttle.forgive(staff.email, "")
        Staff.update(password_hash=password_hash, must_change_password=False).where(
            Staff.id == staff.id
        ).execute()
        sessions.end_all(staff, wall=wall, but=keep_session)
        _record(staff, "profile.password", staff, None, None, wall)


def edit_profile(staff: Staff, *, name: str, locale: str, version: int, wall: datetime) -> None:
    """Change one's own name and language.

    :raises DomainError: an empty or overlong name, an unknown language
    :raises Conflict: saved elsewhere first
    """
    name = _clean_name(name)
    if locale not in LOCALES:
        raise DomainError(_l("Choose one of the languages."), field="locale")
    before = {"name": staff.name, "locale": staff.locale}
    after = {"name": name, "locale": locale}
    if before == after:
        return
    with atomic():
        _change(staff, version, **after)
        _record(staff, "profile.edit", staff, before, after, wall)


def sign_in(
    email: str, password: str, *, address: str, browser: str, wall: datetime
) -> tuple[Staff, str]:
    """Open a session: the person and the token for the cookie.

    The refusal is the same for an unknown address, a wrong password and a person switched off.

    :raises DomainError: not let in, or too many tries
    """
    email = email.strip().lower()[:255]
    blocked = throttle.admit(email, address, wall=wall)
    if blocked is not None:
        raise DomainError(_wait_sentence(blocked, wall))
    staff: Staff | None = Staff.get_or_none(Staff.email == email)
    right = passwords.is_right(staff.password_hash if staff else None, password)
    if staff is None or not right or not staff.active:
        raise DomainError(_l("The e-mail address or the password is not right."))
    with atomic():
        throttle.forgive(email, address)
        throttle.forget_old(wall=wall)
        if passwords.is_outdated(staff.password_hash):
            Staff.update(password_hash=passwords.hash_password(password)).where(
                Staff.id == staff.id
            ).execute()
        token = sessions.start(staff, address=address, browser=browser, wall=wall)
        _record(staff, "staff.sign_in", staff, None, {"browser": browser[:200]}, wall)
    return staff, token


def sign_out(staff: Staff, session_id: int, *, wall: datetime) -> None:
    """End the session one is in."""
    with atomic():
        if sessions.end(session_id, wall=wall):
            _record(staff, "staff.sign_out", staff, None, None, wall)


def end_own_session(staff: Staff, session: StaffSession, *, wall: datetime) -> bool:
    """End one's session on another device; False when it had ended already.

    :raises NotAllowed: it is somebody else's
    """
    if session.staff.id != staff.id:
        raise NotAllowed(_l("This session belongs to somebody else."))
    with atomic():
        ended = sessions.end(session.id, wall=wall)
        if ended:
            before = {"browser": session.browser}
            _record(staff, "session.end", staff, before, None, wall)
    return ended


def sign_out_everywhere(staff: Staff, *, but: int | None, wall: datetime) -> int:
    """End one's sessions on other devices; how many there were."""
    with atomic():
        ended = sessions.end_all(staff, wall=wall, but=but)
        _record(staff, "session.end_all", staff, None, {"ended": ended}, wall)
    return ended


def _check_people(by: Staff | None) -> None:
    if by is not None:
        permissions.check(by, "people")


def _check_role(role: str) -> None:
    if role not in permissions.ROLES:
        raise DomainError(_l("Choose one of the roles."), field="role")


def _clean_email(email: str) -> str:
    email = email.strip().lower()
    if len(email) > 255 or not EMAIL.fullmatch(email):
        raise DomainError(
            _l("This does not look like an e-mail address, such as mei@example.com."),
            field="email",
        )
    return email


def _clean_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise DomainError(_l("Enter a name."), field="name")
    if len(name) > LONGEST_NAME:
        raise DomainError(
            _("A name has at most %(count)s characters.", count=LONGEST_NAME), field="name"
        )
    return name


def _found(staff_id: int) -> Staff:
    staff: Staff | None = Staff.get_or_none(Staff.id == staff_id)
    if staff is None:
        raise DomainError(_l("This person is not here any more."))
    return staff


def _locked(staff_id: int) -> Staff:
    """The row as it is now, with every owner's row held until the transaction ends.

    Two owners demoting each other at the same moment would otherwise both find one more owner.
    """
    if is_postgres():
        owners = Staff.select(Staff.id).where(
            (Staff.role == permissions.OWNER) | (Staff.id == staff_id)
        )
        list(owners.order_by(Staff.id).for_update())
    return _found(staff_id)


def _keep_an_owner(staff: Staff) -> None:
    others = Staff.select().where(
        Staff.role == permissions.OWNER,
        Staff.active,
        Staff.id != staff.id,
    )
    if not others.exists():
        raise DomainError(_l("The shop needs an owner: make somebody else an owner first."))


def _change(staff: Staff, version: int, **values: Any) -> None:
    won = (
        Staff.update(version=Staff.version + 1, **values)
        .where(Staff.id == staff.id, Staff.version == version)
        .execute()
    )
    if not won:
        raise Conflict(_l("Somebody else changed this person first. Nothing was saved."))


def _record(
    by: Staff | None,
    action: str,
    staff: Staff,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    wall: datetime,
) -> None:
    audit.record(by, action, "staff", staff.id, staff.name, before, after, wall=wall)


def _wait_sentence(until: datetime, wall: datetime) -> str:
    minutes = max(1, -(-int((until - wall).total_seconds()) // 60))
    return _n(
        "Too many tries. Please wait a minute and try again.",
        "Too many tries. Please wait %(count)s minutes and try again.",
        minutes,
    )
