"""The environment, read once into a frozen record. A bad value stops start-up and is named."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from lineadmin.errors import ConfigError

LINE_API = "https://api.line.me"
LINE_DATA_API = "https://api-data.line.me"
DEMO_PUBLIC_URL = "https://demo.invalid"
DEMO_OWNER = "owner@example.com"
DEMO_LOGIN_CHANNEL = "2000000001"
DEMO_LIFF = "2000000001-DemoShop"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
MINIMUM_SECRET_LENGTH = 16
# What LINE issues: it goes into headers and addresses, where nothing else can stand.
ISSUED = re.compile(r"[!-~]+")
LIFF_APP = re.compile(r"[0-9]+-[A-Za-z0-9]+")


@dataclass(frozen=True)
class Config:
    """Everything lineadmin reads from its environment. Times, money and rules are not here:
    they are the shop's settings, edited on screen."""

    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    public_url: str | None
    port: int
    line_channel_secret: str | None = field(repr=False)
    line_channel_access_token: str | None = field(repr=False)
    line_channel_id: str | None
    line_login_channel_id: str | None
    line_login_channel_secret: str | None = field(repr=False)
    liff_id: str | None
    line_api_base: str
    line_data_api_base: str
    owner_email: str | None
    owner_password: str | None = field(repr=False)
    simulator: bool
    var_dir: Path
    dyno: bool

    @property
    def line_is_loopback(self) -> bool:
        """True when LINE_API_BASE is an address of this machine (simulator or test server)."""
        return urlsplit(self.line_api_base).hostname in LOOPBACK_HOSTS

    @property
    def line_configured(self) -> bool:
        """True when requests to LINE can carry a token."""
        has_id = self.line_channel_id is not None and self.line_channel_secret is not None
        return self.line_channel_access_token is not None or has_id

    @property
    def liff_configured(self) -> bool:
        """True when LINE can tell a page of ours who opened it."""
        return None not in (self.liff_id, self.line_login_channel_id, self.public_url)

    @property
    def simulator_port(self) -> int:
        """The port of the simulator's own server: that of LINE_API_BASE."""
        return urlsplit(self.line_api_base).port or self.port + 1

    @property
    def simulator_data(self) -> Path:
        """The simulator's own SQLite file."""
        return self.var_dir / "simulator.db"

    @property
    def panel_url(self) -> str:
        """Where this machine itself reaches the panel."""
        return f"http://127.0.0.1:{self.port}"


def load_config(environ: Mapping[str, str] | None = None) -> Config:
    """The configuration in `environ` (default: the process's).

    :raises ConfigError: names the first variable that is missing or wrong
    """
    env = _Environment(os.environ if environ is None else environ)
    simulator = _simulator_mode(env)
    var_dir = Path(env.text("VAR_DIR") or "var")
    port = env.integer("PORT", 8000, lowest=1, highest=65535)
    dyno = env.text("DYNO") is not None
    database_url = _database_url(env, dyno)
    demo = _demo_secrets(var_dir) if simulator else {}
    secret_key = env.text("SECRET_KEY") or demo.get("secret_key")
    if secret_key is None:
        raise ConfigError(
            "SECRET_KEY", "is needed outside simulator mode; set it to a long random text"
        )
    if len(secret_key) < MINIMUM_SECRET_LENGTH:
        raise ConfigError("SECRET_KEY", f"needs at least {MINIMUM_SECRET_LENGTH} characters")
    line_base = f"http://127.0.0.1:{port + 1}" if simulator else LINE_API
    data_base = line_base if simulator else LINE_DATA_API
    line_api_base = env.url("LINE_API_BASE", line_base, plain_http_on_loopback=True)
    if simulator and urlsplit(line_api_base).hostname not in LOOPBACK_HOSTS:
        raise ConfigError("LINE_API_BASE", "must be an address of this machine in simulator mode")
    if env.text("LINE_API_BASE") and not env.text("LINE_DATA_API_BASE") and simulator:
        data_base = line_api_base
    return Config(
        secret_key=secret_key,
        database_url=database_url,
        redis_url=_redis_url(env),
        public_url=env.url("PUBLIC_URL", DEMO_PUBLIC_URL if simulator else None, https_only=True),
        port=port,
        line_channel_secret=env.issued("LINE_CHANNEL_SECRET") or demo.get("channel_secret"),
        line_channel_access_token=env.issued("LINE_CHANNEL_ACCESS_TOKEN")
        or demo.get("channel_token"),
        line_channel_id=env.digits("LINE_CHANNEL_ID"),
        line_login_channel_id=env.digits("LINE_LOGIN_CHANNEL_ID")
        or (DEMO_LOGIN_CHANNEL if simulator else None),
        line_login_channel_secret=env.issued("LINE_LOGIN_CHANNEL_SECRET"),
        liff_id=env.liff("LIFF_ID") or (DEMO_LIFF if simulator else None),
        line_api_base=line_api_base,
        line_data_api_base=env.url("LINE_DATA_API_BASE", data_base, plain_http_on_loopback=True),
        owner_email=env.email("OWNER_EMAIL") or (DEMO_OWNER if simulator else None),
        owner_password=env.text("OWNER_PASSWORD") or demo.get("owner_password"),
        simulator=simulator,
        var_dir=var_dir,
        dyno=dyno,
    )


_current: Config | None = None


def use(config: Config) -> Config:
    """Make `config` the one this process runs with."""
    global _current
    _current = config
    return config


def current() -> Config:
    """The configuration of this process, read from the environment at first use."""
    return _current if _current is not None else use(load_config())


class _Environment:
    """Typed reading of variables; an empty value counts as absent, NAME_FILE as NAME."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str) -> str | None:
        value = self._environ.get(name, "").strip()
        path = self._environ.get(f"{name}_FILE", "").strip()
        if value and path:
            raise ConfigError(name, f"is set twice: directly and through {name}_FILE")
        if path:
            try:
                value = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"{name}_FILE", f"cannot be read ({error})") from None
        return value or None

    def integer(self, name: str, default: int, *, lowest: int, highest: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or not lowest <= int(value) <= highest:
            raise ConfigError(name, f"must be a whole number from {lowest} to {highest}")
        return int(value)

    def digits(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and not (value.isascii() and value.isdigit()):
            raise ConfigError(name, "must be the channel's number, digits only")
        return value

    def issued(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and not ISSUED.fullmatch(value):
            raise ConfigError(
                name, "must be as LINE shows it: letters, digits and signs without spaces"
            )
        return value

    def liff(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and not LIFF_APP.fullmatch(value):
            raise ConfigError(name, "must be the LIFF app's ID, such as 1234567890-AbCdEfGh")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value is None:
            return None
        if value.lower() in ("1", "true", "yes", "on"):
            return True
        if value.lower() in ("0", "false", "no", "off"):
            return False
        raise ConfigError(name, "must be 1 or 0")

    def email(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and ("@" not in value or " " in value):
            raise ConfigError(name, "must be an e-mail address")
        return value

    def url(
        self,
        name: str,
        default: str | None,
        *,
        https_only: bool = False,
        plain_http_on_loopback: bool = False,
    ) -> str:
        value = self.text(name)
        if value is None:
            return default  # type: ignore[return-value]
        try:
            parts = urlsplit(value)
            port_is_valid = parts.port is None or parts.port > 0
        except ValueError:
            parts, port_is_valid = urlsplit(""), False
        loopback = parts.hostname in LOOPBACK_HOSTS
        if not parts.hostname or not port_is_valid or parts.scheme not in ("http", "https"):
            raise ConfigError(name, "must be an address such as https://panel.example.com")
        if parts.username or parts.query or parts.fragment:
            raise ConfigError(name, "must be a bare address without password, ? or #")
        if parts.scheme == "http" and not (plain_http_on_loopback and loopback):
            if https_only and loopback:
                return value.rstrip("/")
            raise ConfigError(name, "must start with https://")
        return value.rstrip("/")


def _simulator_mode(env: _Environment) -> bool:
    token = env.text("LINE_CHANNEL_ACCESS_TOKEN")
    named = any(
        env.text(name)
        for name in ("LINE_CHANNEL_ACCESS_TOKEN", "LINE_CHANNEL_SECRET", "LINE_CHANNEL_ID")
    )
    flag = env.flag("SIMULATOR")
    if flag and token:
        raise ConfigError(
            "SIMULATOR", "cannot be combined with LINE_CHANNEL_ACCESS_TOKEN; choose one"
        )
    if flag and env.text("LINE_CHANNEL_ID"):
        raise ConfigError("SIMULATOR", "cannot be combined with LINE_CHANNEL_ID; choose one")
    if flag is None:
        # A production dyno without its LINE settings must not quietly become a toy.
        return not named and env.text("DYNO") is None
    return flag


def _database_url(env: _Environment, dyno: bool) -> str:
    url = env.text("DATABASE_URL") or "sqlite:///var/lineadmin.db"
    if env.text("DATABASE_URL") is None and env.text("VAR_DIR"):
        url = f"sqlite:///{Path(env.text('VAR_DIR') or 'var') / 'lineadmin.db'}"
    scheme = url.split(":", 1)[0]
    if scheme not in ("sqlite", "postgres", "postgresql"):
        raise ConfigError("DATABASE_URL", "must start with sqlite:/// or postgres://")
    if scheme == "sqlite" and (not url.startswith("sqlite:///") or url == "sqlite:///"):
        raise ConfigError("DATABASE_URL", "must name a file, such as sqlite:///var/lineadmin.db")
    if scheme != "sqlite":
        try:
            named = bool(urlsplit(url).hostname) and bool(urlsplit(url).path.strip("/"))
            named = named or "host=" in url
        except ValueError:
            named = False
        if not named:
            raise ConfigError("DATABASE_URL", "must be postgres://user:password@host/database")
    if dyno and scheme == "sqlite":
        raise ConfigError(
            "DATABASE_URL",
            "is needed on a dyno: its disk is emptied daily, so SQLite would lose the shop; "
            "add a PostgreSQL database",
        )
    return url


def _redis_url(env: _Environment) -> str | None:
    url = env.text("REDIS_URL")
    if url is not None and url.split(":", 1)[0] not in ("redis", "rediss", "unix"):
        raise ConfigError("REDIS_URL", "must start with redis:// or rediss://")
    return url


def _demo_secrets(var_dir: Path) -> dict[str, str]:
    """Random secrets of this machine's demo, made once and kept in VAR_DIR (mode 600)."""
    path = var_dir / "secrets.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        pass
    except (OSError, ValueError):
        raise ConfigError("VAR_DIR", f"{path} cannot be read; delete it for a new demo") from None
    made = {
        "secret_key": secrets.token_urlsafe(32),
        "channel_secret": secrets.token_hex(16),
        "channel_token": secrets.token_urlsafe(48),
        "owner_password": secrets.token_urlsafe(9),
    }
    try:
        var_dir.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}.new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(made, file)
        # link() refuses to replace: of two processes starting at once, one's secrets win for both.
        try:
            os.link(fresh, path)
        except FileExistsError:
            made = dict(json.loads(path.read_text(encoding="utf-8")))
        os.unlink(fresh)
    except OSError as error:
        raise ConfigError("VAR_DIR", f"cannot be written ({error})") from None
    return made
