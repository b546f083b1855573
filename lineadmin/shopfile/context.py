"""What every section of a shop file needs while it is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lineadmin.broadcasts.estimated import EstimatedError
from lineadmin.errors import DomainError
from lineadmin.messages.check import check_parts
from lineadmin.messages.parts import PartsError, parse_parts
from lineadmin.messages.references import look_up
from lineadmin.segments.tree import TreeError
from lineadmin.shopfile.errors import Path, ShopFileError
from lineadmin.shopfile.source import Source
from lineadmin.staff.models import Staff


@dataclass
class Report:
    """What loading did: names of things by section, and how many were right already."""

    created: list[tuple[str, str]] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    unchanged: int = 0

    def note(self, section: str, name: str, *, created: bool, changed: bool) -> None:
        """Count one thing."""
        if created:
            self.created.append((section, name))
        elif changed:
            self.changed.append((section, name))
        else:
            self.unchanged += 1

    def note_change(self, section: str, name: str) -> None:
        """A thing that was counted already has changed after all."""
        if (section, name) not in [*self.created, *self.changed]:
            self.unchanged -= 1
            self.changed.append((section, name))

    def lines(self) -> list[str]:
        """One line per thing that is different now, and a last one with the numbers."""
        told = [f"+ {section}: {name}" for section, name in self.created]
        told += [f"~ {section}: {name}" for section, name in self.changed]
        told.append(
            f"{len(self.created)} new, {len(self.changed)} changed, {self.unchanged} as they were"
        )
        return told


@dataclass
class Context:
    """Who loads what, and when (`now` shop time, `wall` real time)."""

    source: Source
    staff: Staff | None
    now: datetime
    wall: datetime
    public_url: str | None = ""
    report: Report = field(default_factory=Report)

    @contextmanager
    def at(self, path: Path, fields: Mapping[str, Path] | None = None) -> Iterator[None]:
        """Tell a refusal inside the block with the place it is about.

        :param fields: where the file has what a room calls by its form field's name
        """
        try:
            yield
        except ShopFileError:
            raise
        except DomainError as error:
            place = (*path, *self._inside(path, error, fields or {}))
            raise ShopFileError(self.source.line(place), place, error) from None

    def check_messages(self, path: Path, messages: Any, *, variables: bool = False) -> None:
        """Refuse what LINE would refuse, and coupons and pictures that do not exist.

        :raises ShopFileError: with the line of the first problem
        """
        parts = parse_parts(messages)
        for problem in check_parts(
            parts,
            references=look_up(parts),
            now=self.now,
            public_url=self.public_url,
            variables=variables,
        ):
            place = path if problem.part_index is None else (*path, problem.part_index)
            raise self.refuse(place, problem.sentence)

    def refuse(self, path: Path, sentence: str) -> ShopFileError:
        """A mistake at `path`, to be raised."""
        return ShopFileError(self.source.line(path), path, sentence)

    def _inside(self, path: Path, error: DomainError, fields: Mapping[str, Path]) -> Path:
        if isinstance(error, PartsError | TreeError | EstimatedError):
            return tuple(error.path)
        name = error.field
        if name is None:
            return ()
        inside = fields.get(name, (name,))
        # Only what the file really holds is a place in it.
        return inside if self.source.line((*path, *inside)) is not None else ()
