"""The settings of each vendor; `config.py` has the others and reads them all."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_ROOT = re.compile(r"https?://[^\s/?#]+(?:/[^\s?#]*)?")


def _root(value: str) -> str:
    if not _ROOT.fullmatch(value):
        raise ValueError("write it as https://HOST, or https://HOST/PATH")
    return value


def _root_or_none(value: str) -> str:
    return value and _root(value)


RootUrl = Annotated[str, AfterValidator(_root)]


class PriceChartingSettings(BaseSettings):
    """PriceCharting: graded and ungraded guide prices; needs a subscription."""

    model_config = SettingsConfigDict(
        env_prefix="API_PRICECHARTING_", env_file=".env", extra="ignore"
    )

    api_key: SecretStr = Field(default=SecretStr(""), description="token of the subscription page")
    base_url: RootUrl = Field(
        default="https://www.pricecharting.com", description="root of the PriceCharting API"
    )
    rate_limit: int = Field(
        default=60, ge=1, le=60, description="calls a minute at most, never above one a second"
    )
    mapping: Literal["grades", "boxed"] = Field(
        default="grades",
        description="grades = a card's prices are a ladder of grades; boxed = loose, complete, new",
    )


class JustTcgSettings(BaseSettings):
    """JustTCG: prices by condition and printing; has a free plan for personal use."""

    model_config = SettingsConfigDict(env_prefix="API_JUSTTCG_", env_file=".env", extra="ignore")

    api_key: SecretStr = Field(default=SecretStr(""), description="key of the JustTCG account")
    base_url: RootUrl = Field(
        default="https://api.justtcg.com/v1", description="root of the JustTCG API, with /v1"
    )
    rate_limit: int = Field(default=10, ge=1, le=10_000, description="calls a minute of the plan")
    daily_limit: int = Field(default=100, ge=1, description="calls a UTC day of the plan")
    monthly_limit: int = Field(default=1_000, ge=1, description="calls a month of the plan")
    batch_size: int = Field(default=20, ge=1, le=200, description="cards a call of the plan")


class TcgplayerSettings(BaseSettings):
    """TCGplayer's own API: for holders of old keys only."""

    model_config = SettingsConfigDict(env_prefix="API_TCGPLAYER_", env_file=".env", extra="ignore")

    client_id: str = Field(default="", description="public key of the TCGplayer application")
    client_secret: SecretStr = Field(default=SecretStr(""), description="private key of it")
    base_url: RootUrl = Field(
        default="https://api.tcgplayer.com", description="root of the TCGplayer API"
    )
    rate_limit: int = Field(default=300, ge=1, le=600, description="calls a minute at most")


class EbaySettings(BaseSettings):
    """eBay: search of listings for comparison; they never become prices."""

    model_config = SettingsConfigDict(env_prefix="API_EBAY_", env_file=".env", extra="ignore")

    client_id: str = Field(default="", description="client id of the eBay keyset")
    client_secret: SecretStr = Field(default=SecretStr(""), description="client secret of it")
    base_url: Annotated[str, AfterValidator(_root_or_none)] = Field(
        default="", description="host of the eBay API; empty = the one of API_EBAY_ENVIRONMENT"
    )
    environment: Literal["production", "sandbox"] = Field(
        default="production", description="which of eBay's own hosts"
    )
    daily_limit: int = Field(default=5_000, ge=1, description="calls a day of the keyset")
    rate_limit: int = Field(default=120, ge=1, le=6_000, description="calls a minute at most")
    verification_token: SecretStr = Field(
        default=SecretStr(""), description="of the account deletion notices, 32 to 80 characters"
    )
    endpoint: str = Field(
        default="", description="public https address at which eBay sends the deletion notices"
    )


class TcgcsvSettings(BaseSettings):
    """TCGCSV: TCGplayer's prices as a daily file, without a key."""

    model_config = SettingsConfigDict(env_prefix="API_TCGCSV_", env_file=".env", extra="ignore")

    enabled: bool = Field(default=False, description="whether the daily file is fetched")
    base_url: RootUrl = Field(default="https://tcgcsv.com", description="root of TCGCSV")
    rate_limit: int = Field(default=240, ge=1, le=600, description="files a minute at most")
