"""Every setting, read once by bootstrap from the environment or `.env`, passed down as values."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.source import Source
from tcgtracker.vendor_settings import (
    EbaySettings,
    JustTcgSettings,
    PriceChartingSettings,
    TcgcsvSettings,
    TcgplayerSettings,
)


def data_folder() -> Path:
    """Return the folder for this user's data, as the platform has it."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "tcgtracker"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "tcgtracker"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "tcgtracker"


_HOST_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?|[0-9a-f:.]{2,45}")
_LEAST_KEPT, _MOST_KEPT = 90, 36_500
"""A price is judged by the last 30 days on which it was seen."""
_BROKERS = ("redis", "rediss", "amqp", "amqps")
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?")
SECRET_BYTES = 32


def _secret(value: SecretStr) -> SecretStr:
    """Refuse a key that is short: it would be noticed at the first sign-in, or by a forger."""
    if 0 < len(value.get_secret_value().encode()) < SECRET_BYTES:
        raise ValueError(f"needs at least {SECRET_BYTES} bytes, as `openssl rand -hex 32` makes")
    return value


def listed(text: str) -> tuple[str, ...]:
    """Return the parts of a setting that are separated by commas."""
    return tuple(part for one in text.split(",") if (part := one.strip()))


def _default_url() -> str:
    return f"sqlite:///{data_folder() / 'tcgtracker.db'}"


class DatabaseSettings(BaseSettings):
    """Where the data is kept."""

    model_config = SettingsConfigDict(env_prefix="DB_", env_file=".env", extra="ignore")

    url: str = Field(
        default_factory=_default_url,
        description="sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME",
    )
    pool_size: int = Field(default=10, ge=1, le=200, description="connections kept open at most")
    busy_timeout_s: int = Field(
        default=15, ge=1, le=300, description="seconds to wait for SQLite's one writer"
    )


class HistorySettings(BaseSettings):
    """Where the price history is kept, when not with the rest."""

    model_config = SettingsConfigDict(env_prefix="HISTORY_", env_file=".env", extra="ignore")

    url: str = Field(default="", description="as DB_URL; empty = the same database")
    seal_after_days: int = Field(
        default=90, ge=31, le=3650, description="days after which a month of prices is compressed"
    )
    keep_days: str = Field(
        default="",
        description="older prices are dropped, but for those in force: SOURCE=DAYS (90 at least),"
        " separated by commas; a source that is not named keeps all; empty = nothing is dropped",
    )

    @property
    def retention(self) -> dict[Source, int]:
        """For how many days the prices of a source are kept; those not named for ever."""
        found: dict[Source, int] = {}
        for one in listed(self.keep_days):
            name, _, days = (part.strip() for part in one.partition("="))
            if name not in set(Source) - {Source.MANUAL} or name in found:
                raise ValueError(f"HISTORY_KEEP_DAYS: {name!r} is no vendor, or named twice")
            if not days.isdecimal() or not _LEAST_KEPT <= int(days) <= _MOST_KEPT:
                raise ValueError(f"HISTORY_KEEP_DAYS: {one!r}: {_LEAST_KEPT} to {_MOST_KEPT} days")
            found[Source(name)] = int(days)
        return found

    @model_validator(mode="after")
    def _known_sources(self) -> "HistorySettings":
        _ = self.retention
        return self


class AppSettings(BaseSettings):
    """The program itself."""

    model_config = SettingsConfigDict(env_prefix="APP_", env_file=".env", extra="ignore")

    host: str = Field(
        default="127.0.0.1",
        description="address to serve on; another than loopback needs APP_ALLOWED_HOSTS",
    )
    allowed_hosts: str = Field(
        default="",
        description="names by which other machines call this one, separated by commas, no ports",
    )
    port: int = Field(default=8000, ge=0, le=65535, description="port to serve on; 0 = a free one")
    rate_limit: int = Field(
        default=600, ge=0, le=100_000, description="requests a minute of an account; 0 = no limit"
    )
    rate_limit_address: int = Field(
        default=120,
        ge=0,
        le=100_000,
        description="requests a minute of an address without an account; 0 = no limit",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="least level that is logged"
    )

    @property
    def host_names(self) -> frozenset[str]:
        """The allowed hosts in lower case."""
        return frozenset(one.lower() for one in listed(self.allowed_hosts))

    @model_validator(mode="after")
    def _hosts(self) -> "AppSettings":
        for name in self.host_names:
            if not _HOST_NAME.fullmatch(name):
                raise ValueError(
                    f"APP_ALLOWED_HOSTS: {name!r} is no host name or address: give names alone,"
                    " without scheme, port or wildcard"
                )
        if self.host not in ("127.0.0.1", "localhost", "::1") and not self.host_names:
            raise ValueError(
                f"APP_HOST={self.host}: name the hosts by which this machine is called in"
                " APP_ALLOWED_HOSTS, else only 127.0.0.1, ::1 and localhost are served"
            )
        return self


class SecuritySettings(BaseSettings):
    """Accounts and tokens."""

    model_config = SettingsConfigDict(env_prefix="SECURITY_", env_file=".env", extra="ignore")

    secret_key: Annotated[SecretStr, AfterValidator(_secret)] = Field(
        default=SecretStr(""),
        description="at least 32 bytes, the same for all processes; empty = made on the first"
        " start and kept in the data folder",
    )
    registration: Literal["closed", "open"] = Field(
        default="closed", description="who may register once there is an admin"
    )
    access_minutes: int = Field(default=15, ge=1, le=15, description="life of an access token")
    session_days: int = Field(
        default=30, ge=1, le=365, description="days without use after which a session ends"
    )
    cors_origins: str = Field(
        default="", description="other sites' origins that may call the API, separated by commas"
    )
    hsts: bool = Field(
        default=False, description="tell browsers to use https alone; only behind https"
    )

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins that may call, exactly as a browser sends them."""
        return listed(self.cors_origins)

    @model_validator(mode="after")
    def _exact_origins(self) -> "SecuritySettings":
        for origin in self.origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"SECURITY_CORS_ORIGINS: {origin!r} is no origin: write each in full and in"
                    " lower case, as https://cards.example or http://localhost:3000, no wildcard"
                )
        return self


class JobSettings(BaseSettings):
    """Background work."""

    model_config = SettingsConfigDict(env_prefix="JOBS_", env_file=".env", extra="ignore")

    threads: int = Field(default=2, ge=1, le=64, description="jobs that run at the same time")
    lease_s: int = Field(default=30, ge=3, le=3600, description="seconds a claimed job is held")
    broker_url: str = Field(
        default="",
        description="redis://HOST:PORT/NUMBER or amqp://USER:PASSWORD@HOST/VHOST, to wake Celery"
        " workers; empty = workers look at the database",
    )
    queue: str = Field(
        default="tcgtracker",
        pattern=r"^[a-z][a-z0-9_-]{0,62}$",
        description="name of the queue at the broker; another one for another tracker there",
    )
    time_limit_s: int = Field(
        default=3600,
        ge=60,
        le=86_400,
        description="seconds after which a Celery worker gives up a job and tries again",
    )

    @model_validator(mode="after")
    def _known_broker(self) -> "JobSettings":
        scheme, found, _ = self.broker_url.partition("://")
        if self.broker_url and (not found or scheme not in _BROKERS):
            raise ValueError(
                f"JOBS_BROKER_URL must begin with one of {', '.join(f'{s}://' for s in _BROKERS)}"
            )
        return self


class RedisSettings(BaseSettings):
    """What several processes share beside the database."""

    model_config = SettingsConfigDict(env_prefix="REDIS_", env_file=".env", extra="ignore")

    url: str = Field(
        default="", description="redis://HOST:PORT/NUMBER; empty = memory of this process"
    )


class OperationSettings(BaseSettings):
    """Backups by schedule, and for how long rows of operation are kept."""

    model_config = SettingsConfigDict(env_prefix="KEEP_", env_file=".env", extra="ignore")

    backups_in: str = Field(
        default="", description="folder of the nightly backups; empty = none are made"
    )
    backups: int = Field(default=7, ge=1, le=1000, description="nightly backups that are kept")
    jobs_days: int = Field(
        default=30, ge=1, le=3650, description="days that jobs which are done are kept"
    )
    audit_days: int = Field(
        default=0, ge=0, le=36_500, description="days that the audit log is kept; 0 = for ever"
    )


class MetricsSettings(BaseSettings):
    """What Prometheus reads."""

    model_config = SettingsConfigDict(env_prefix="METRICS_", env_file=".env", extra="ignore")

    token: SecretStr = Field(
        default=SecretStr(""),
        description="what a reader of /metrics shows as Bearer; empty = this machine alone reads",
    )
    folder: str = Field(
        default="",
        description="where the processes of a host put their numbers, to be read as one; emptied"
        " when the host starts; empty = each process has its own",
    )
    port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="port on this machine at which a worker answers /metrics; 0 = none",
    )


class Settings:
    """All groups. Raises `InvalidInput` with one readable line for each wrong setting.

    The arguments hold values that win over the environment: what a command's options say.
    """

    def __init__(
        self,
        app: Mapping[str, Any] | None = None,
        *,
        database: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None,
        security: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            self.database = DatabaseSettings(**(database or {}))
            self.history = HistorySettings(**(history or {}))
            self.app = AppSettings(**(app or {}))
            self.jobs = JobSettings()
            self.security = SecuritySettings(**(security or {}))
            self.redis = RedisSettings()
            self.keep = OperationSettings()
            self.metrics = MetricsSettings()
            self.pricecharting = PriceChartingSettings()
            self.justtcg = JustTcgSettings()
            self.tcgplayer = TcgplayerSettings()
            self.ebay = EbaySettings()
            self.tcgcsv = TcgcsvSettings()
        except ValidationError as exc:
            raise InvalidInput(_readable(exc)) from exc


GROUPS: tuple[type[BaseSettings], ...] = (
    DatabaseSettings,
    HistorySettings,
    AppSettings,
    JobSettings,
    SecuritySettings,
    RedisSettings,
    OperationSettings,
    MetricsSettings,
    PriceChartingSettings,
    JustTcgSettings,
    TcgplayerSettings,
    EbaySettings,
    TcgcsvSettings,
)


def _readable(exc: ValidationError) -> str:
    prefix = {group.__name__: group.model_config.get("env_prefix", "") for group in GROUPS}
    lines = []
    for error in exc.errors(include_url=False, include_input=False):
        name = "".join(str(part) for part in error["loc"]).upper()
        key = f"{prefix.get(exc.title, '')}{name}: " if name else ""
        lines.append(f"{key}{error['msg'].removeprefix('Value error, ')}")
    return "configuration: " + "; ".join(lines)
