"""Promises the project makes about itself: migrations, documentation, translations."""

from __future__ import annotations

import io
import re
from dataclasses import fields
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from peewee import SqliteDatabase

from lineadmin import db as database
from lineadmin.config import Config, load_config
from lineadmin.errors import ConfigError
from lineadmin.i18n import CATALOGUES, LOCALES, translations
from lineadmin.models import MODELS

ROOT = Path(__file__).parent.parent
TRANSLATED = [code for code in LOCALES if code != "en"]
KEYWORDS = {"_": None, "_l": None, "_n": (1, 2), "gettext": None, "ngettext": (1, 2)}


def test_an_empty_database_migrated_equals_the_models(db, tmp_path):
    if not isinstance(db, SqliteDatabase):
        pytest.skip("the text of the schema is compared on SQLite; PostgreSQL runs the same files")
    migrated = _schema(db)
    fresh = database.open_database(f"sqlite:///{tmp_path}/models.db")
    database.ensure_connection()
    fresh.create_tables(MODELS)
    modelled = _schema(fresh)
    fresh.close()
    assert migrated == modelled


DEFAULT = re.compile(r" DEFAULT ('[^']*'|\w+)")


def _schema(db):
    """Every table and index; columns in any order, and without defaults: a migration that adds a
    column to rows that are there needs one, where the model fills it in itself."""
    rows = db.execute_sql(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'schema_migration'"
        " AND name NOT LIKE 'sqlite_%'"
        " AND tbl_name <> 'schema_migration'"
    )
    return {name: _parts(DEFAULT.sub("", sql)) for name, sql in rows}


def _parts(sql):
    plain = re.sub(r'["\s]+|IF NOT EXISTS', "", sql)
    if not plain.startswith("CREATETABLE"):
        return plain
    # A column that is added later names what it leads to beside it, not at the table's end.
    plain = re.sub(
        r"(\w+_id)INTEGER(REFERENCES\w+\(id\)ONDELETE[A-Z]+)",
        r"\1INTEGER,FOREIGNKEY(\1)\2",
        plain,
    )
    name, _paren, columns = plain.partition("(")
    return name, sorted(re.split(r",(?![^(]*\))", columns[:-1]))


def test_a_second_migration_run_changes_nothing(db):
    from lineadmin import migrate

    assert migrate.migrate() == []
    assert migrate.pending() == []


def test_the_app_refuses_to_start_on_a_pending_migration(tmp_path):
    from lineadmin.application import create_app
    from tests.conftest import make_config

    with pytest.raises(ConfigError, match="flask migrate"):
        create_app(make_config(f"sqlite:///{tmp_path}/empty.db", tmp_path))
    database.db.close()


def test_every_environment_variable_is_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    # DYNO is the platform's own mark rather than a setting of ours.
    names = {field.name.upper() for field in fields(Config)} - {"DYNO"}
    assert [name for name in sorted(names) if f"`{name}`" not in readme] == []


def _messages():
    found = {}
    for path, line, message, _comments, _context in extract_from_dir(
        str(ROOT / "lineadmin"),
        method_map=[("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")],
        options_map={"**.html": {"trimmed": "false", "silent": "false"}},
        keywords=KEYWORDS,
    ):
        text = message[0] if isinstance(message, tuple) else message
        if text:
            found[text] = f"{path}:{line}"
    return found


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_message_is_translated(locale):
    known = translations(locale)._catalog
    plural = {key[0] for key in known if isinstance(key, tuple)}
    missing = {
        text: place
        for text, place in _messages().items()
        if text not in known and text not in plural
    }
    assert missing == {}


@pytest.mark.parametrize("locale", TRANSLATED)
def test_translations_keep_the_placeholders(locale):
    wrong = []
    for path in (CATALOGUES / locale).glob("*.po"):
        for message in read_po(io.BytesIO(path.read_bytes()), locale=locale):
            if not message.id:
                continue
            source = message.id[-1] if isinstance(message.id, tuple) else message.id
            target = message.string[-1] if isinstance(message.string, tuple) else message.string
            pattern = r"%\(\w+\)[sd]"
            extra = set(re.findall(pattern, target)) - set(re.findall(pattern, str(message.id)))
            lost = set(re.findall(pattern, source)) - set(re.findall(pattern, target))
            if extra or lost - {"%(count)s"}:
                wrong.append((path.name, source))
    assert wrong == []


def test_zh_tw_uses_full_width_punctuation_between_chinese_characters():
    wrong = []
    for path in (CATALOGUES / "zh_Hant_TW").glob("*.po"):
        for message in read_po(io.BytesIO(path.read_bytes()), locale="zh_Hant_TW"):
            texts = message.string if isinstance(message.string, tuple) else (message.string,)
            for text in texts:
                if re.search(r"[一-鿿][,;:!?](?=[一-鿿\s]|$)", text or ""):
                    wrong.append((path.name, text))
    assert wrong == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("DATABASE_URL", "mysql://x"),
        ("DATABASE_URL", "sqlite:///"),
        ("REDIS_URL", "http://x"),
        ("PUBLIC_URL", "http://shop.example"),
        ("PUBLIC_URL", "shop.example"),
        ("LINE_API_BASE", "http://far.example"),
        ("LINE_CHANNEL_ID", "abc"),
        ("LINE_CHANNEL_ACCESS_TOKEN", "權杖"),
        ("LINE_CHANNEL_ACCESS_TOKEN", "Bearer abc"),
        ("LINE_CHANNEL_SECRET", "密碼"),
        ("LINE_LOGIN_CHANNEL_SECRET", "a b"),
        ("LIFF_ID", "https://liff.line.me/1234567890-AbCdEfGh"),
        ("OWNER_EMAIL", "nobody"),
        ("SIMULATOR", "maybe"),
        ("SECRET_KEY", "short"),
    ],
)
def test_a_bad_setting_stops_the_start_and_is_named(variable, value, tmp_path):
    environ = {"VAR_DIR": str(tmp_path), "SECRET_KEY": "x" * 32, variable: value}
    with pytest.raises(ConfigError) as refused:
        load_config(environ)
    assert refused.value.variable == variable


def test_a_dyno_without_postgresql_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="disk is emptied daily"):
        load_config({"VAR_DIR": str(tmp_path), "DYNO": "web.1", "SECRET_KEY": "x" * 32})


def test_the_simulator_and_a_line_token_exclude_each_other(tmp_path):
    with pytest.raises(ConfigError, match="SIMULATOR"):
        load_config(
            {"VAR_DIR": str(tmp_path), "SIMULATOR": "1", "LINE_CHANNEL_ACCESS_TOKEN": "token"}
        )


def test_a_secret_can_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text("a-secret-key-from-a-file\n")
    config = load_config({"VAR_DIR": str(tmp_path), "SECRET_KEY_FILE": str(tmp_path / "key")})
    assert config.secret_key == "a-secret-key-from-a-file"


def test_the_demo_keeps_its_secrets_between_starts(tmp_path):
    environ = {"VAR_DIR": str(tmp_path)}
    first, second = load_config(environ), load_config(environ)
    assert first == second
    assert first.simulator
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0


def test_no_secret_shows_when_a_configuration_is_printed(tmp_path):
    config = load_config({"VAR_DIR": str(tmp_path), "SECRET_KEY": "do-not-print-me-ever"})
    shown = repr(config)
    assert "do-not-print-me-ever" not in shown
    assert (config.line_channel_secret or "?") not in shown


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_two_catalogues_translate_one_message_differently(code):
    """The first file in the alphabet would win, and the other room would speak its words."""
    said: dict[object, set[object]] = {}
    for path in sorted((CATALOGUES / code).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=code):
                if message.id and message.string:
                    key = message.id if isinstance(message.id, str) else tuple(message.id)
                    text = message.string
                    said.setdefault(key, set()).add(text if isinstance(text, str) else tuple(text))
    assert {key: texts for key, texts in said.items() if len(texts) > 1} == {}
