"""JustTCG's cards and variants, with the prices and statistics of a moment."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from tcgtracker.domain.clock import from_epoch, to_epoch
from tcgtracker.sandbox.chance import key_of, share
from tcgtracker.sandbox.justtcg_query import Wanted
from tcgtracker.sandbox.prices import justtcg_cents
from tcgtracker.sandbox.world import World, WorldCard, WorldSet

GAMES = {
    "pokemon": "Pokemon",
    "pokemon-japan": "Pokemon Japan",
    "one-piece-card-game": "One Piece Card Game",
}
_REFRESH_S = 6 * 3600
_STEPS = {"7d": (7, 1), "30d": (30, 3), "90d": (90, 9), "1y": (365, 30)}
"""Length and spacing, in days, of the samples from which a period's statistics are made."""
_SUFFIX = {"7d": "7d", "30d": "30d", "90d": "90d", "1y": "1y"}
_AVERAGES = {"7d": "avgPrice", "30d": "avgPrice30d", "90d": "avgPrice90d"}
_CHANGES = {"7d": "priceChange7d", "30d": "priceChange30d", "90d": "priceChange90d"}
_KEPT_PRICES = 300_000
_THIN = 0.08
"""Share of the statistics that are left out."""


class JustTcgCards:
    """Writes the cards of a world as the vendor does."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._known: dict[tuple[str, str, str, date], int | None] = {}

    def card(
        self, made: WorldSet, card: WorldCard, wanted: Wanted, now: datetime
    ) -> dict[str, object]:
        """Return a card with the variants that are wanted; the card itself has no price."""
        record: dict[str, object] = {"uuid": card.justtcg_uuid} if card.justtcg_uuid else {}
        record |= {
            "id": card.justtcg_id,
            "name": card.tcgplayer_name or card.name,
            "game": GAMES[made.justtcg_game],
            "set": made.justtcg_id,
            "set_name": made.name,
            "number": card.justtcg_number,
            "rarity": card.rarity or None,
            "tcgplayerId": card.justtcg_product,
            "mtgjsonId": None,
            "scryfallId": None,
            "details": None,
        }
        if share(self._key(card), 1) < _THIN:
            del record["set_name"]
        record["variants"] = list(self._variants(made, card, wanted, now))
        return record

    def price(self, card: WorldCard, printing: str, condition: str, now: datetime) -> int | None:
        """Return the cents of a variant as last refreshed before `now`."""
        at = self.refreshed_at(card, now)
        return self._cents(card, printing, condition, at.date())

    def refreshed_at(self, card: WorldCard, now: datetime) -> datetime:
        """Return when the card's prices were last refreshed: every six hours, each at its time."""
        offset = int(share(self._key(card), 2) * _REFRESH_S)
        return from_epoch((to_epoch(now) - offset) // _REFRESH_S * _REFRESH_S + offset)

    def variant_ids(self, card: WorldCard) -> Iterator[tuple[str, str, str]]:
        """Yield (id, printing, condition) of each variant."""
        several = len(card.printings) > 1
        for printing in card.printings:
            for condition in card.conditions():
                text = f"{card.justtcg_id}_{_slug(condition)}"
                yield (
                    f"{text}_{_slug(printing.name)}" if several else text,
                    printing.name,
                    condition,
                )

    def variant_uuid(self, card: WorldCard, variant_id: str) -> str:
        """Return the stable key of a variant, '' where the vendor has none."""
        if not card.justtcg_uuid or share(self._key(card, variant_id), 0) < _THIN:
            return ""
        high, low = self._key(card, variant_id), self._key(card, variant_id, "low")
        return str(uuid.UUID(int=high << 64 | low, version=5))

    def _variants(
        self, made: WorldSet, card: WorldCard, wanted: Wanted, now: datetime
    ) -> Iterator[dict[str, object]]:
        at = self.refreshed_at(card, now)
        for variant_id, printing, condition in self.variant_ids(card):
            own = self.variant_uuid(card, variant_id)
            sku = str(card.sku_id(printing, condition)) if card.justtcg_product else ""
            if (
                (wanted.kind == "variantId" and wanted.id not in (variant_id, own))
                or (wanted.kind == "tcgplayerSkuId" and wanted.id != sku)
                or (wanted.conditions and condition not in wanted.conditions)
                or (wanted.printings and printing.casefold() not in wanted.printings)
                or (wanted.updated_after and to_epoch(at) <= wanted.updated_after)
            ):
                continue
            cents = self._cents(card, printing, condition, at.date())
            if (cents is None and not wanted.null_prices) or (
                wanted.min_price and (cents or 0) < wanted.min_price * 100
            ):
                continue
            record: dict[str, object] = {"uuid": own} if own else {}
            record |= {
                "id": variant_id,
                "condition": condition,
                "printing": printing,
                "language": "Japanese" if made.justtcg_game.endswith("-japan") else "English",
            }
            if sku:
                record["tcgplayerSkuId"] = sku
            record |= {
                "price": None if cents is None else cents / 100,
                "lastUpdated": to_epoch(at),
            }
            record |= self._statistics(card, printing, condition, wanted, at)
            if wanted.history_days:
                record["priceHistory"] = self._history(card, printing, condition, wanted, at)
            yield record

    def _history(
        self, card: WorldCard, printing: str, condition: str, wanted: Wanted, at: datetime
    ) -> list[dict[str, object]]:
        """Return points oldest first; some days have none, some two."""
        key = self._key(card, printing, condition)
        points: list[dict[str, object]] = []
        for back in range(wanted.history_days, 0, -1):
            day = at.date() - timedelta(days=back)
            cents = self._cents(card, printing, condition, day)
            drawn = share(key, day.toordinal())
            if cents is None or drawn < 0.15:  # noqa: PLR2004 - about one day in seven
                continue
            midnight = to_epoch(datetime.combine(day, time(), tzinfo=UTC))
            points.append({"p": cents / 100, "t": midnight + int(drawn * 43_200)})
            if drawn > 0.85:  # noqa: PLR2004 - the same
                points.append({"p": cents / 100, "t": midnight + 43_200 + int(drawn * 40_000)})
        cents = self._cents(card, printing, condition, at.date())
        if cents is not None:
            points.append({"p": cents / 100, "t": to_epoch(at)})
        return points

    def _statistics(
        self, card: WorldCard, printing: str, condition: str, wanted: Wanted, at: datetime
    ) -> dict[str, object]:
        last = self._cents(card, printing, condition, at.date())
        if last is None:
            return {}
        found: dict[str, object] = {
            "priceChange24hr": self._change(card, printing, condition, at.date(), 1)
        }
        for period in sorted(wanted.periods & _STEPS.keys()):
            days, step = _STEPS[period]
            dates = [at.date() - timedelta(days=back) for back in range(0, days + 1, step)]
            cents = [
                each
                for day in dates
                if (each := self._cents(card, printing, condition, day)) is not None
            ]
            low, high = min(cents), max(cents)
            if period in _CHANGES:
                found[_CHANGES[period]] = self._change(card, printing, condition, at.date(), days)
                found[_AVERAGES[period]] = round(sum(cents) / len(cents) / 100, 2)
                found[f"priceChangesCount{period}"] = sum(
                    one != other for one, other in pairwise(cents)
                )
            found[f"minPrice{period}"], found[f"maxPrice{period}"] = low / 100, high / 100
            if period in ("30d", "90d"):
                found[f"priceRelativeTo{period}Range"] = (
                    round((last - low) / (high - low), 4) if high > low else None
                )
        if "allTime" in wanted.periods:
            found |= self._all_time(card, printing, condition, at)
        key = self._key(card, printing, condition, "thin")
        return {
            name: value
            for place, (name, value) in enumerate(found.items())
            if share(key, place) >= _THIN
        }

    def _all_time(
        self, card: WorldCard, printing: str, condition: str, at: datetime
    ) -> dict[str, object]:
        dates = [at.date() - timedelta(days=back) for back in range(0, 721, 60)]
        known = [
            (cents, day)
            for day in dates
            if (cents := self._cents(card, printing, condition, day)) is not None
        ]
        (low, low_day), (high, high_day) = min(known), max(known)
        return {
            "minPriceAllTime": low / 100,
            "minPriceAllTimeDate": f"{low_day.isoformat()}T12:55:01.864Z",
            "maxPriceAllTime": high / 100,
            "maxPriceAllTimeDate": f"{high_day.isoformat()}T08:12:44.120Z",
        }

    def _change(
        self, card: WorldCard, printing: str, condition: str, day: date, back: int
    ) -> float | None:
        """Return the change in percent."""
        now = self._cents(card, printing, condition, day)
        then = self._cents(card, printing, condition, day - timedelta(days=back))
        return None if now is None or then is None else round((now / then - 1) * 100, 2)

    def _cents(self, card: WorldCard, printing: str, condition: str, day: date) -> int | None:
        """Return a price of a day; kept, as statistics ask for the same days again and again."""
        key = (card.justtcg_id, printing, condition, day)
        if key not in self._known:
            if len(self._known) > _KEPT_PRICES:
                self._known.clear()
            self._known[key] = justtcg_cents(self.world, card, printing, condition, day)
        return self._known[key]

    def _key(self, card: WorldCard, *parts: str) -> int:
        return key_of(self.world.seed, "justtcg", card.justtcg_id, *parts)


def _slug(text: str) -> str:
    return text.lower().replace(" ", "-")
