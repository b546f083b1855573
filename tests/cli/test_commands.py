"""Commands as a person types them: words and exit codes, never a traceback."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from peewee import OperationalError

from lineadmin.cli.session import OneLine
from tests.cli.commands import Shell, shell


def test_two_dynos_may_migrate_at_the_same_moment(new_database_url: str, tmp_path: Path) -> None:
    terminal = shell(tmp_path, new_database_url)
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _number: terminal.process("migrate"), range(3)))
    assert [run.code for run in runs] == [0, 0, 0], [run.words for run in runs]
    assert sum("applied 0001" in run.out for run in runs) == 1
    again = terminal.flask("migrate")
    assert again.code == 0
    assert again.out.strip() == "nothing to migrate"


def test_nothing_starts_while_a_migration_is_pending(new_database_url: str, tmp_path: Path) -> None:
    terminal = shell(tmp_path, new_database_url)
    for command in (["worker"], ["web"], ["tick"], ["shop", "dump"], ["staff", "create", "a@b.c"]):
        done = terminal.flask(*command)
        assert done.code == 1, command
        assert "flask migrate" in done.err
        assert len(done.err) < 200, "a new database lacks them all: no list of dozens"
        assert "Traceback" not in done.words


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "eighty"),
        ("LINE_API_BASE", "ftp://x"),
        ("DATABASE_URL", "mysql://x"),
        ("SECRET_KEY", "short"),
        ("SIMULATOR", "perhaps"),
    ],
)
def test_a_bad_setting_is_named(terminal: Shell, variable: str, value: str) -> None:
    done = terminal.flask("tick", **{variable: value})
    assert done.code == 1
    assert variable in done.err
    assert "Traceback" not in done.words


def test_a_database_that_is_down_is_told_in_one_sentence(tmp_path: Path) -> None:
    terminal = shell(tmp_path, "postgres://nobody@127.0.0.1:9/nothing")
    for command in (["tick"], ["migrate"], ["doctor"], ["backup", str(tmp_path / "x.zip")]):
        done = terminal.flask(*command)
        assert done.code == 1, command
        assert "Traceback" not in done.words, done.words


def test_a_database_that_cannot_be_written_is_one_line_in_the_log() -> None:
    def told(error: Exception) -> str:
        record = logging.makeLogRecord({"msg": "the %s part failed", "args": ("tags",)})
        record.exc_info = (type(error), error, None)
        return OneLine("%(message)s").format(record)

    readonly = OperationalError("attempt to write a readonly database")
    assert told(readonly) == "the tags part failed: attempt to write a readonly database"
    assert "ZeroDivisionError" in told(ZeroDivisionError("ours"))


def test_the_doctor_asks_redis(terminal: Shell) -> None:
    done = terminal.flask("doctor", REDIS_URL="redis://127.0.0.1:9")
    assert "Redis: It does not answer: " in done.out
    assert "Check REDIS_URL" in done.out
    assert "Traceback" not in done.words


def test_a_tick_at_a_given_time_is_for_test_servers_only(terminal: Shell) -> None:
    done = terminal.flask("tick", "--now", "2026-11-23T11:30:00+08:00")
    assert done.code == 0, done.words
    assert done.out.startswith("inbox 0 triggers 0 steps 0 broadcasts 0 sent 0")
    assert "waiting 0" in done.out
    refused = terminal.flask("tick", "--now", "2026-11-23", LINE_API_BASE="https://api.line.me")
    assert refused.code == 1
    assert "LINE_API_BASE" in refused.err
    nonsense = terminal.flask("tick", "--now", "tomorrow")
    assert nonsense.code == 1
    assert "tomorrow" in nonsense.err


def test_staff_are_created_and_get_new_passwords(terminal: Shell) -> None:
    made = terminal.flask("staff", "create", "Mei@example.com", "--role", "manager")
    assert made.code == 0, made.words
    assert "password: " in made.out
    given = terminal.flask(
        "staff", "create", "de@example.com", "--password-stdin", stdin="correct horse battery\n"
    )
    assert given.code == 0
    assert "password:" not in given.out
    for arguments, sentence in (
        (["create", "mei@example.com"], "already"),
        (["create", "nonsense"], "e-mail"),
        (["password", "who@example.com"], "nobody"),
    ):
        refused = terminal.flask("staff", *arguments)
        assert refused.code == 1
        assert sentence in refused.err
    weak = terminal.flask("staff", "password", "mei@example.com", "--password-stdin", stdin="123\n")
    assert weak.code == 1
    new = terminal.flask("staff", "password", "MEI@example.com")
    assert new.code == 0
    assert "password: " in new.out
    unknown = terminal.flask("staff", "create", "x@example.com", "--role", "boss")
    assert unknown.code == 2


def test_good_rows_of_a_csv_are_kept_and_bad_ones_told(terminal: Shell, tmp_path: Path) -> None:
    file = tmp_path / "friends.csv"
    file.write_text(
        "line_user_id,display_name,tags\n"
        f"U{1:032x},小明,熟客|團購\n"
        "nonsense,小華,\n"
        f"U{2:032x},小美,熟客\n",
        encoding="utf-8",
    )
    first = terminal.flask("friends", "import", str(file))
    assert first.code == 1
    assert "line 3: line_user_id" in first.err
    assert "2 new" in first.out
    again = terminal.flask("friends", "import", str(file))
    assert "0 new, 0 changed, 2 as they were, 1 refused" in again.out
    exported = terminal.flask("friends", "export")
    assert exported.code == 0
    assert "小明" in exported.out
    assert exported.out.count("熟客") == 2
    missing = terminal.flask("friends", "import", str(tmp_path / "nothing.csv"))
    assert missing.code == 1
    assert "No such file" in missing.err


def test_the_doctor_says_what_to_do_and_exits_with_1(terminal: Shell) -> None:
    done = terminal.flask("doctor")
    assert done.code == 1
    assert "no owner" in done.out
    assert "flask staff create" in done.out
    assert "It has never run here" in done.out
    assert "LINE could not be reached" in done.out
    assert "Traceback" not in done.words


def test_a_shop_file_is_loaded_whole_or_not_at_all(terminal: Shell, tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(
        "version: 1\ntags:\n  - {name: 熟客}\nreplies:\n"
        "  - {keywords: [嗨], messages: [{text: 你好}], add_tags: [沒有這個]}\n",
        encoding="utf-8",
    )
    refused = terminal.flask("shop", "load", str(file))
    assert refused.code == 1
    assert "line 5: replies[0].add_tags[0]" in refused.err
    assert "Nothing was changed" in refused.err
    assert "熟客" not in terminal.flask("shop", "dump").out
    file.write_text("version: 1\ntags:\n  - {name: 熟客}\n", encoding="utf-8")
    dry = terminal.flask("shop", "load", str(file), "--dry-run")
    assert dry.code == 0
    assert "+ tag: 熟客" in dry.out
    assert "熟客" not in terminal.flask("shop", "dump").out
    assert terminal.flask("shop", "load", str(file)).code == 0
    assert "0 new, 0 changed, 1 as they were" in terminal.flask("shop", "load", str(file)).out
    assert "熟客" in terminal.flask("shop", "dump").out
