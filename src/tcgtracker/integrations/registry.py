"""Every vendor on the network by name. A new vendor is one function and one line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from tcgtracker.config import Settings
from tcgtracker.domain.clock import Clock
from tcgtracker.integrations import ebay, justtcg, pricecharting, tcgcsv, tcgplayer
from tcgtracker.integrations.contract import Vendor, VendorInfo
from tcgtracker.integrations.http import VendorHttp


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


def _pricecharting(settings: Settings) -> ConfiguredVendor:
    own = settings.pricecharting

    def create(http: VendorHttp, clock: Clock) -> Vendor:
        return pricecharting.create(http, own, clock)

    return ConfiguredVendor(pricecharting.describe(own), own, own.base_url, create)


def _justtcg(settings: Settings) -> ConfiguredVendor:
    own = settings.justtcg

    def create(http: VendorHttp, clock: Clock) -> Vendor:
        return justtcg.create(http, own, clock)

    return ConfiguredVendor(justtcg.describe(own), own, own.base_url, create)


def _tcgplayer(settings: Settings) -> ConfiguredVendor:
    own = settings.tcgplayer

    def create(http: VendorHttp, clock: Clock) -> Vendor:
        return tcgplayer.create(http, own, clock)

    return ConfiguredVendor(tcgplayer.describe(own), own, own.base_url, create)


def _tcgcsv(settings: Settings) -> ConfiguredVendor:
    own = settings.tcgcsv

    def create(http: VendorHttp, clock: Clock) -> Vendor:
        return tcgcsv.create(http, own, clock)

    return ConfiguredVendor(tcgcsv.describe(own), own, own.base_url, create)


def _ebay(settings: Settings) -> ConfiguredVendor:
    own = settings.ebay

    def create(http: VendorHttp, clock: Clock) -> Vendor:
        return ebay.create(http, own, clock)

    return ConfiguredVendor(ebay.describe(own), own, ebay.base_url(own), create)


VENDORS: Mapping[str, Callable[[Settings], ConfiguredVendor]] = {
    "pricecharting": _pricecharting,
    "justtcg": _justtcg,
    "tcgplayer": _tcgplayer,
    "tcgcsv": _tcgcsv,
    "ebay": _ebay,
}
"""In the order in which they are shown; what is asked first, the flags decide."""


def configured_vendors(settings: Settings) -> dict[str, ConfiguredVendor]:
    """Return all vendors as these settings have them, the disabled ones too."""
    return {name: configure(settings) for name, configure in VENDORS.items()}
