"""`flask backup`: the whole shop in one file, taken while the shop is open."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from peewee import Model

from lineadmin import clock
from lineadmin.cli import portable
from lineadmin.cli.session import open_shop, plain_errors
from lineadmin.config import Config
from lineadmin.errors import DomainError
from lineadmin.settings import heartbeat


@dataclass(frozen=True)
class Written:
    """What went into a file."""

    rows: int
    size_bytes: int


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@plain_errors
def backup(file: Path) -> None:
    """Write everything the shop knows into FILE (a zip; restore it with `flask restore`)."""
    with open_shop() as config:
        written = write_backup(config, file, wall=clock.wall())
        heartbeat.beat("backup", wall=clock.wall(), note={"rows": written.rows})
    size = f"{written.size_bytes / 1_000_000:.1f} MB"
    click.echo(f"{file}: {written.rows:,} rows, {size}. It holds personal data: keep it safe.")


def write_backup(config: Config, file: Path, *, wall: datetime) -> Written:
    """Write `file`; an older one of that name stays until the new one is whole.

    :raises DomainError: the folder does not exist
    :raises OSError: it cannot be written
    """
    if not file.parent.is_dir():
        raise DomainError(f"{file.parent} is not a folder")
    unfinished = file.with_name(f"{file.name}.{os.getpid()}.part")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                rows = _write_tables(config, archive, wall)
            raw.flush()
            os.fsync(raw.fileno())
        size = unfinished.stat().st_size
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)
    return Written(rows, size)


def _write_tables(config: Config, archive: zipfile.ZipFile, wall: datetime) -> int:
    tables: dict[str, Any] = {}
    with portable.snapshot(config) as stream:
        for model in portable.KEPT:
            tables[portable.table_name(model)] = _write_table(model, archive, stream)
    manifest = {
        "format": portable.FORMAT,
        "version": portable.VERSION,
        "made_at": wall.isoformat(),
        "migrations": portable.known_migrations(),
        "tables": tables,
    }
    archive.writestr(portable.MANIFEST, json.dumps(manifest, indent=1))
    return sum(table["rows"] for table in tables.values())


def _write_table(
    model: type[Model],
    archive: zipfile.ZipFile,
    stream: Callable[[str], Iterable[tuple[Any, ...]]],
) -> dict[str, Any]:
    name = portable.table_name(model)
    columns = portable.columns_of(model)
    names = ", ".join(f'"{column.name}"' for column in columns)
    digest, rows = hashlib.sha256(), 0
    converters = [column.to_json for column in columns]
    with archive.open(f"tables/{name}.jsonl", "w", force_zip64=True) as member:
        for row in stream(f'SELECT {names} FROM "{name}" ORDER BY "id"'):  # noqa: S608
            line = portable.write_json(
                [convert(value) for convert, value in zip(converters, row, strict=True)]
            )
            digest.update(line)
            member.write(line)
            rows += 1
    return {
        "columns": [column.name for column in columns],
        "rows": rows,
        "sha256": digest.hexdigest(),
    }
