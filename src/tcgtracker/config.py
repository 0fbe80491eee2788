"""Every setting, read once by bootstrap from the environment or `.env`, passed down as values."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tcgtracker.domain.errors import InvalidInput


def data_folder() -> Path:
    """Return the folder for this user's data, as the platform has it."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "tcgtracker"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "tcgtracker"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "tcgtracker"


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


class AppSettings(BaseSettings):
    """The program itself."""

    model_config = SettingsConfigDict(env_prefix="APP_", env_file=".env", extra="ignore")

    host: str = Field(default="127.0.0.1", description="address to serve on; loopback only for now")
    port: int = Field(default=8000, ge=0, le=65535, description="port to serve on; 0 = a free one")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="least level that is logged"
    )

    @model_validator(mode="after")
    def _loopback(self) -> "AppSettings":
        if self.host not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError(
                f"APP_HOST={self.host}: there are no accounts yet, so only 127.0.0.1, ::1 and"
                " localhost are allowed"
            )
        return self


class JobSettings(BaseSettings):
    """Background work in this process."""

    model_config = SettingsConfigDict(env_prefix="JOBS_", env_file=".env", extra="ignore")

    threads: int = Field(default=2, ge=1, le=64, description="jobs that run at the same time")
    lease_s: int = Field(default=30, ge=3, le=3600, description="seconds a claimed job is held")


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
    ) -> None:
        try:
            self.database = DatabaseSettings(**(database or {}))
            self.history = HistorySettings(**(history or {}))
            self.app = AppSettings(**(app or {}))
            self.jobs = JobSettings()
        except ValidationError as exc:
            raise InvalidInput(_readable(exc)) from exc


GROUPS: tuple[type[BaseSettings], ...] = (
    DatabaseSettings,
    HistorySettings,
    AppSettings,
    JobSettings,
)


def _readable(exc: ValidationError) -> str:
    prefix = {group.__name__: group.model_config.get("env_prefix", "") for group in GROUPS}
    lines = []
    for error in exc.errors(include_url=False, include_input=False):
        name = "".join(str(part) for part in error["loc"]).upper()
        key = f"{prefix.get(exc.title, '')}{name}: " if name else ""
        lines.append(f"{key}{error['msg'].removeprefix('Value error, ')}")
    return "configuration: " + "; ".join(lines)
