"""What happens once, on an empty database: the owner is let in, and a demo becomes a shop."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from importlib.resources import files

from lineadmin import clock, i18n, settings, shopfile
from lineadmin.config import Config
from lineadmin.db import atomic
from lineadmin.errors import ConfigError, DomainError
from lineadmin.friends.models import Friend
from lineadmin.members import actions as actions_of_members
from lineadmin.members import points
from lineadmin.staff import actions

DEMO_LOADED = "demo.loaded"
DEMO_OWNER_NAME = "店長"
DEMO_REASON = "消費贈點"
# Number, name, phone, level, and points with the days they are good for.
DEMO_MEMBERS: tuple[tuple[str, str, str, str, tuple[tuple[int, int], ...]], ...] = (
    ("A0001", "王小明", "0912345678", "黃金", ((120, 365), (30, 5))),
    ("A0002", "林美玲", "0922345678", "一般", ((45, 180),)),
    ("A0003", "陳大文", "0932345678", "一般", ()),
)
DEMO_OPENS = time(11, 0)
DEMO_CLOSES = time(18, 0)


def first_start(config: Config) -> None:
    """Create the owner of OWNER_EMAIL and OWNER_PASSWORD where nobody is here yet.

    In simulator mode an empty database becomes the demo shop, once: what staff change or delete
    afterwards stays so.

    :raises ConfigError: the owner's address or password will not do
    """
    _let_the_owner_in(config)
    with i18n.use_locale(i18n.DEFAULT_LOCALE):
        if config.simulator:
            clock.allow_moving(True)
            _load_demo(config)


def _let_the_owner_in(config: Config) -> None:
    if config.owner_email is None or config.owner_password is None:
        return
    try:
        actions.ensure_first_owner(
            config.owner_email,
            config.owner_password,
            wall=clock.wall(),
            name=DEMO_OWNER_NAME if config.simulator else "",
        )
    except DomainError as error:
        variable = "OWNER_EMAIL" if error.field == "email" else "OWNER_PASSWORD"
        raise ConfigError(variable, str(error)) from None


def _load_demo(config: Config) -> None:
    with atomic():
        if settings.get(DEMO_LOADED) or settings.shop().name or Friend.select().exists():
            return
        text = files("lineadmin.shopfile").joinpath("demo.yaml").read_text(encoding="utf-8")
        shopfile.load(
            text,
            staff=None,
            now=clock.now(),
            wall=clock.wall(),
            public_url=config.public_url,
        )
        _add_members(clock.now(), clock.wall())
        settings.mark(DEMO_LOADED, True, wall=clock.wall())
    _open_the_demo()


def _add_members(now: datetime, wall: datetime) -> None:
    """A few, with points, whom a phone of the demo can bind: the numbers stand in their list."""
    zone = settings.shop_zone()
    for number, name, phone, level, given in DEMO_MEMBERS:
        details = actions_of_members.Details(number, name, phone, level=level)
        member = actions_of_members.create(details, staff=None, now=now, wall=wall)
        for amount, days in given:
            change = points.Change(amount, DEMO_REASON, points.end_of(now, zone, days))
            points.change(member.id, change, staff=None, now=now, wall=wall)


def _open_the_demo() -> None:
    """A new demo begins within business hours, whatever time it is: then the first step is out a
    day later, and no quiet hours keep somebody waiting who only wants to see it."""
    here = clock.now().astimezone(settings.shop_zone())
    if DEMO_OPENS <= here.time() < DEMO_CLOSES:
        return
    day = here.date() if here.time() < DEMO_OPENS else here.date() + timedelta(days=1)
    opens = datetime.combine(day, DEMO_OPENS, tzinfo=settings.shop_zone())
    clock.move(opens - clock.now())
