"""What the frame around every page shows: menu, quota, LINE's state, banners, the stop button.

Rooms above know these things, the frame does not: their screens hand functions in with `provide`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from flask import Flask, request, url_for
from werkzeug.routing import BuildError

from lineadmin import clock, config, i18n, settings
from lineadmin.admin.identity import staff_or_none
from lineadmin.i18n import _, _l
from lineadmin.staff import permissions
from lineadmin.staff.models import Staff
from lineadmin.staff.permissions import ROLE_LABELS

Part = Literal["quota", "line", "stop", "banners", "counts"]

GROUPS: tuple[tuple[str, Any], ...] = (
    ("", ""),
    ("friends", _l("Friends")),
    ("messages", _l("Messages")),
    ("offers", _l("Offers")),
    ("results", _l("Results")),
    ("settings", _l("Settings")),
)


@dataclass(frozen=True)
class Quota:
    """Messages used this month; `limit` None where LINE sets none."""

    used: int
    limit: int | None
    url: str

    @property
    def percent(self) -> int:
        """How full the meter is, 0 to 100."""
        return 0 if not self.limit else min(100, round(100 * self.used / self.limit))

    @property
    def kind(self) -> str:
        """The colour of the meter."""
        return "bad" if self.percent >= 100 else "warn" if self.percent >= 80 else ""


@dataclass(frozen=True)
class LineState:
    """The badge of the LINE connection; kind: ok | warn | bad."""

    kind: str
    label: str
    url: str


@dataclass(frozen=True)
class StopState:
    """Whether all sending is stopped, and the page on which to stop or resume it."""

    stopped: bool
    url: str


@dataclass(frozen=True)
class Banner:
    """A sentence on top of every page, with a way to act on it."""

    kind: str
    text: str
    url: str = ""
    label: str = ""


@dataclass(frozen=True)
class MenuItem:
    """One line of the sidebar."""

    label: Any
    url: str
    icon: str
    active: bool
    count: str = ""


@dataclass(frozen=True)
class MenuGroup:
    """A heading of the sidebar and what stands under it."""

    label: Any
    entries: list[MenuItem]


_providers: dict[str, Callable[[], Any]] = {}


def provide(part: Part, function: Callable[[], Any]) -> None:
    """Let `function` answer for a part of the frame on every page: keep it to one cheap query.

    quota -> Quota | None · line -> LineState | None · stop -> StopState | None ·
    banners -> list[Banner] (several rooms may each provide one list) ·
    counts -> {endpoint: number beside its menu entry} (several rooms too)
    """
    key = f"{part}:{function.__module__}" if part in ("banners", "counts") else part
    _providers[key] = function


class Shell:
    """`shell` in templates; everything is worked out when a template asks for it."""

    def __init__(self, entries: list[tuple[Any, str, int]]) -> None:
        self._entries = entries

    @property
    def html_lang(self) -> str:
        """The language of this page, for <html lang>."""
        return i18n.HTML_LANG[i18n.locale()]

    @cached_property
    def staff(self) -> Staff | None:
        """The person who is asking."""
        return staff_or_none()

    @property
    def role_name(self) -> str:
        """That person's role in words."""
        return str(ROLE_LABELS.get(self.staff.role, self.staff.role)) if self.staff else ""

    @cached_property
    def shop_name(self) -> str:
        """The shop's name."""
        return settings.shop().name or "lineadmin"

    @property
    def simulator(self) -> bool:
        """Whether this is the demo with its pretend LINE."""
        return config.current().simulator

    @property
    def simulator_url(self) -> str:
        """The page with the phones."""
        return "/simulator/"

    @property
    def shop_time(self) -> datetime:
        """Shop time, which the simulator moves."""
        return clock.now()

    @cached_property
    def search_url(self) -> str:
        """The friends' list, where the search box leads; "" for those who may not look there."""
        if not permissions.may(self.staff, "lookup"):
            return ""
        try:
            return url_for("friends.index_view")
        except BuildError:
            return ""

    @cached_property
    def quota(self) -> Quota | None:
        """The meter."""
        return self._ask("quota")

    @cached_property
    def line(self) -> LineState | None:
        """The LINE badge."""
        return self._ask("line")

    @cached_property
    def stop(self) -> StopState | None:
        """The red button."""
        return self._ask("stop")

    @cached_property
    def banners(self) -> list[Banner]:
        """What everybody should know right now."""
        if self.staff is None:
            return []
        return [banner for answer in self._ask_all("banners") for banner in answer]

    @cached_property
    def menu(self) -> list[MenuGroup]:
        """The sidebar: what this person may open."""
        if self.staff is None:
            return []
        counts: dict[str, int] = {}
        for answer in self._ask_all("counts"):
            counts.update(answer)
        groups = []
        for group, label in GROUPS:
            entries = [
                MenuItem(
                    label=view.name,
                    url=view.get_url(f"{view.endpoint}.{view.default_route()}"),
                    icon=view.menu_icon,
                    active=request.blueprint == view.endpoint,
                    count=i18n.format_count(counts[view.endpoint])
                    if counts.get(view.endpoint)
                    else "",
                )
                for view, of_group, _order in self._entries
                if of_group == group and view.in_menu and view.is_accessible()
            ]
            if group == "settings" and self.simulator:
                here = request.path.startswith(self.simulator_url)
                entries.append(MenuItem(_("Simulator"), self.simulator_url, "simulator", here))
            if entries:
                groups.append(MenuGroup(label, entries))
        return groups

    def _ask(self, part: str) -> Any:
        provider = _providers.get(part)
        return provider() if provider is not None and self.staff is not None else None

    def _ask_all(self, part: str) -> list[Any]:
        return [function() for key, function in _providers.items() if key.startswith(f"{part}:")]


def init_app(app: Flask, entries: list[tuple[Any, str, int]]) -> None:
    """Give every template its `shell`; `entries` are (view, group, order)."""
    ordered = sorted(entries, key=lambda entry: entry[2])
    app.context_processor(lambda: {"shell": Shell(ordered)})
