"""Every vendor on the network by name. A new vendor is one line here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from tcgtracker.config import Settings
from tcgtracker.domain.clock import Clock
from tcgtracker.integrations import ebay, justtcg, pricecharting, tcgcsv, tcgplayer
from tcgtracker.integrations.contract import Vendor, VendorInfo
from tcgtracker.integrations.http import VendorHttp

S = TypeVar("S", bound=BaseSettings)


@dataclass(frozen=True, slots=True)
class ConfiguredVendor:
    """One vendor with its settings: what bootstrap needs to make it, and whether it may.

    info: with the limits of the configured plan. create: opens nothing.
    """

    info: VendorInfo
    settings: BaseSettings
    base_url: str
    create: Callable[[VendorHttp, Clock], Vendor]

    @property
    def missing(self) -> tuple[str, ...]:
        """The settings in `info.needs` that are empty or off; none when the vendor is enabled."""
        prefix = self.settings.model_config.get("env_prefix", "")
        return tuple(
            name
            for name in self.info.needs
            if not _plain(getattr(self.settings, name.removeprefix(prefix).lower()))
        )

    @property
    def disabled(self) -> str:
        """Why the vendor is not asked, '' when it is."""
        return f"set {' and '.join(self.missing)} to use it" if self.missing else ""

    @property
    def credentials(self) -> tuple[str, ...]:
        """What the vendor knows us by: when it changes, a refusal of the old is void."""
        prefix = self.settings.model_config.get("env_prefix", "")
        return tuple(
            str(_plain(getattr(self.settings, name.removeprefix(prefix).lower())))
            for name in self.info.needs
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no error, log line or metric may show."""
        values = (value for _, value in self.settings if isinstance(value, SecretStr))
        return tuple(text for value in values if (text := value.get_secret_value()))


def _plain(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def configured_vendors(settings: Settings) -> dict[str, ConfiguredVendor]:
    """Return all vendors as these settings have them, the disabled ones too.

    In the order in which they are shown; what is asked first, the flags decide.
    """
    price, just, player = settings.pricecharting, settings.justtcg, settings.tcgplayer
    csv, bay = settings.tcgcsv, settings.ebay
    vendors = (
        _entry(pricecharting.describe(price), price, price.base_url, pricecharting.create),
        _entry(justtcg.describe(just), just, just.base_url, justtcg.create),
        _entry(tcgplayer.describe(player), player, player.base_url, tcgplayer.create),
        _entry(tcgcsv.describe(csv), csv, csv.base_url, tcgcsv.create),
        _entry(ebay.describe(bay), bay, ebay.base_url(bay), ebay.create),
    )
    return {one.info.vendor: one for one in vendors}


def _entry(
    info: VendorInfo,
    settings: S,
    base_url: str,
    create: Callable[[VendorHttp, S, Clock], Vendor],
) -> ConfiguredVendor:
    def make(http: VendorHttp, clock: Clock) -> Vendor:
        return create(http, settings, clock)

    return ConfiguredVendor(info, settings, base_url, make)
