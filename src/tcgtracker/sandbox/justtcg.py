"""JustTCG: prices by condition and printing, single, in batches of POST, or by search.

After vendors/justtcg.md section 8.
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from tcgtracker.domain.clock import to_epoch
from tcgtracker.sandbox.answers import json_answer
from tcgtracker.sandbox.justtcg_cards import GAMES, JustTcgCards
from tcgtracker.sandbox.justtcg_meter import PLANS, Meter, Plan
from tcgtracker.sandbox.justtcg_query import Wanted, one_of, wanted, whole
from tcgtracker.sandbox.tunable import Tunable
from tcgtracker.sandbox.wire import Request, Response
from tcgtracker.sandbox.world import World, WorldCard, WorldSet

KEY = "tcg_sandbox00000000000000000000"
_DEFAULT_LIMIT = 20
_PERIOD_DAYS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}
Listing = tuple[WorldSet, WorldCard]


class PlanExceeded(Exception):
    """More cards in one call than the plan allows."""


class JustTcgSandbox(Tunable):
    """The vendor. Options are attributes.

    plan: free, starter, professional, enterprise. pacing: length of the vendor's minute in real
    minutes, 0 = no limit per minute. calls_elsewhere: calls that others made with the key, in the
    day's and the month's count. retry_after: whether a 429 per minute says when. key: the one
    that is accepted.
    """

    OPTIONS: ClassVar = ("plan", "pacing", "calls_elsewhere", "retry_after", "key")

    def __init__(self, world: World, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = "justtcg"
        self.world = world
        self.plan = "free"
        self.pacing = 1.0
        self.calls_elsewhere = 0
        self.retry_after = True
        self.key = KEY
        self._monotonic = monotonic
        self._cards = JustTcgCards(world)
        self._listed: list[Listing] = [
            (made, card) for made in world.sets for card in made.cards if card.justtcg_id
        ]
        self._by_id = self._index()
        self.reset()

    def tune(self, options: Mapping[str, object]) -> None:
        """Change options.

        Raises:
            ValueError: an option does not exist or its value cannot be used; nothing was changed.
        """
        if options.get("plan", "free") not in PLANS:
            raise ValueError(f"plan must be one of {', '.join(PLANS)}")
        super().tune(options)

    def reset(self) -> None:
        """Forget what was counted."""
        self._meters: dict[str, Meter] = {}

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer as of `now`: prices are refreshed every six hours."""
        key = request.headers.get("x-api-key", "")
        if not key:
            return _error(401, "API key is required", "MISSING_API_KEY")
        if key != self.key:
            return _error(401, "Invalid API key", "INVALID_API_KEY")
        plan = PLANS[self.plan]
        meter = self._meters.setdefault(key, Meter(self._monotonic))
        code = meter.refuses(plan, now, pacing=self.pacing, elsewhere=self.calls_elsewhere)
        metadata = meter.metadata(plan, self.calls_elsewhere)
        if code:
            return self._refusal(code, metadata)
        pages: dict[tuple[str, str], Callable[[Request, Plan, datetime], dict[str, object]]] = {
            ("GET", "/v1/games"): self._games,
            ("GET", "/v1/sets"): self._sets,
            ("GET", "/v1/cards"): self._get_cards,
            ("POST", "/v1/cards"): self._post_cards,
        }
        page = pages.get((request.method, request.path))
        if page is None:
            return _error(404, "Not found", "NOT_FOUND")
        try:
            body = page(request, plan, now)
        except ValueError as exc:
            return _error(400, str(exc), "INVALID_REQUEST")
        except PlanExceeded as exc:
            return _error(403, str(exc), "FORBIDDEN")
        return json_answer({**body, "_metadata": metadata})

    def _refusal(self, code: str, metadata: dict[str, object]) -> Response:
        texts = {
            "RATE_LIMIT_EXCEEDED": "Rate limit exceeded",
            "DAILY_LIMIT_EXCEEDED": "Daily request limit exceeded",
            "REQUEST_LIMIT_EXCEEDED": "Total request limit exceeded",
        }
        body = {"error": texts[code], "code": code, "_metadata": metadata}
        wait = {"Retry-After": str(max(1, round(60 * self.pacing)))}
        stated = self.retry_after and code == "RATE_LIMIT_EXCEEDED"
        return json_answer(body, 429, headers=wait if stated else None)

    def _games(self, _request: Request, _plan: Plan, now: datetime) -> dict[str, object]:
        return {"data": [self._game(game, now) for game in GAMES]}

    def _game(self, game: str, now: datetime) -> dict[str, object]:
        held = [(made, card) for made, card in self._listed if made.justtcg_game == game]
        singles = sum(not card.sealed for _, card in held)
        return {
            "id": game,
            "name": GAMES[game],
            "count": singles,
            "cards_count": singles,
            "sets_count": sum(made.justtcg_game == game for made in self.world.sets),
            "variants_count": sum(_variants(card) for _, card in held),
            "sealed_count": len(held) - singles,
            "last_updated": str(to_epoch(now) // 21_600 * 21_600),  # a string, as recorded
            **self._worth("game", [card for _, card in held], now),
        }

    def _sets(self, request: Request, _plan: Plan, now: datetime) -> dict[str, object]:
        given = _first_values(request)
        game = given.get("game", "")
        if not game:
            raise ValueError('Required query parameter "game" is missing')
        query = given.get("q", "").casefold()
        found = [
            made
            for made in self.world.sets
            if _is_game(made, game) and query in made.name.casefold()
        ]
        by_date = one_of(given, "orderBy", "name", "release_date") == "release_date"
        found.sort(
            key=lambda made: (made.released.isoformat() if by_date else "", made.name),
            reverse=one_of(given, "order", "asc", "desc") == "desc",
        )
        limit, offset = whole(given, "limit", len(found)), whole(given, "offset", 0)
        page = found[offset : offset + limit]
        return {
            "data": [self._set(made, now) for made in page],
            "meta": _meta(len(found), limit, offset),
        }

    def _set(self, made: WorldSet, now: datetime) -> dict[str, object]:
        held = [card for card in made.cards if card.justtcg_id]
        singles = sum(not card.sealed for card in held)
        return {
            "id": made.justtcg_id,
            "name": made.name,
            "game_id": made.justtcg_game,
            "game": GAMES[made.justtcg_game],
            "count": singles,
            "cards_count": singles,
            "variants_count": sum(_variants(card) for card in held),
            "sealed_count": len(held) - singles,
            "release_date": f"{made.released.isoformat()}T00:00:00.000Z",
            **self._worth("set", held, now),
        }

    def _worth(self, what: str, cards: list[WorldCard], now: datetime) -> dict[str, object]:
        today = sum(self._top(card, now) for card in cards)
        before = sum(self._top(card, now - timedelta(days=7)) for card in cards)
        return {
            f"{what}_value_usd": today / 100,
            f"{what}_value_change_7d_pct": round((today / before - 1) * 100, 2) if before else 0,
        }

    def _get_cards(self, request: Request, plan: Plan, now: datetime) -> dict[str, object]:
        given = _first_values(request)
        what = wanted(given)
        limit, offset = whole(given, "limit", _DEFAULT_LIMIT), whole(given, "offset", 0)
        if limit > plan.cards:
            raise PlanExceeded(f"Your plan allows a limit of {plan.cards}")
        if limit < 1:
            raise ValueError('Invalid "limit"')
        order = one_of(given, "orderBy", "price", *_PERIOD_DAYS)
        falling = one_of(given, "order", "desc", "asc") == "desc"
        if what.kind:
            found = self._by_id.get((what.kind, what.id))
            listings = [] if found is None else [found]
        else:
            listings = sorted(
                self._search(given, what, now),
                key=lambda each: (self._rank(each[1], order, now), each[1].justtcg_id),
                reverse=falling,
            )
        return {
            "data": [
                self._cards.card(made, card, what, now)
                for made, card in listings[offset : offset + limit]
            ],
            "meta": _meta(len(listings), limit, offset),
        }

    def _post_cards(self, request: Request, plan: Plan, now: datetime) -> dict[str, object]:
        try:
            items = json.loads(request.body)
        except (ValueError, RecursionError):
            raise ValueError("Invalid JSON body") from None
        if not isinstance(items, list) or not items:
            raise ValueError("Request body must be a non-empty array")
        if len(items) > plan.cards:
            raise PlanExceeded(f"Your plan allows {plan.cards} items per request")
        shared = _first_values(request)
        cards = []
        for item in items:
            if not isinstance(item, dict) or not all(isinstance(v, str) for v in item.values()):
                raise ValueError("Each item must be an object of strings")
            what = wanted({**shared, **item})
            if not what.kind:
                raise ValueError("Each item needs an identifier")
            found = self._by_id.get((what.kind, what.id))
            if found is not None:  # unknown ids are silently absent
                cards.append(self._cards.card(*found, what, now))
        return {"data": cards}

    def _search(self, given: Mapping[str, str], what: Wanted, now: datetime) -> list[Listing]:
        game, code = given.get("game", ""), given.get("set", "")
        words = given.get("q", "").casefold().split()
        number = given.get("number", "")
        bare = Wanted(
            "",
            "",
            what.conditions,
            what.printings,
            0,
            frozenset(),
            what.null_prices,
            what.min_price,
            what.updated_after,
        )
        narrowed = what.conditions or what.printings or what.min_price or what.updated_after
        return [
            (made, card)
            for made, card in self._listed
            if (not game or _is_game(made, game))
            and code in ("", made.justtcg_id)
            and number in ("", card.justtcg_number)
            and all(word in (card.tcgplayer_name or card.name).casefold() for word in words)
            and (not narrowed or self._cards.card(made, card, bare, now)["variants"])
        ]

    def _rank(self, card: WorldCard, order: str, now: datetime) -> float:
        top = self._top(card, now)
        if order == "price":
            return top
        before = self._top(card, now - timedelta(days=_PERIOD_DAYS[order]))
        return top / before if before else 0.0

    def _top(self, card: WorldCard, now: datetime) -> int:
        """Return the cents of the dearest printing in its best condition."""
        best = card.conditions()[0]
        return max(self._cards.price(card, each.name, best, now) or 0 for each in card.printings)

    def _index(self) -> dict[tuple[str, str], Listing]:
        index: dict[tuple[str, str], Listing] = {}
        for made, card in self._listed:
            listing = (made, card)
            names = [("cardId", card.justtcg_id), ("cardId", card.justtcg_uuid)]
            names.append(("tcgplayerId", card.justtcg_product or ""))
            for variant_id, printing, condition in self._cards.variant_ids(card):
                names.append(("variantId", variant_id))
                names.append(("variantId", self._cards.variant_uuid(card, variant_id)))
                if card.justtcg_product:
                    names.append(("tcgplayerSkuId", str(card.sku_id(printing, condition))))
            index |= {name: listing for name in names if name[1]}
        return index


def _variants(card: WorldCard) -> int:
    return len(card.printings) * len(card.conditions())


def _is_game(made: WorldSet, game: str) -> bool:
    """Compare with the id, or with the display name, which the vendor's own client sends."""
    return game.casefold() in (made.justtcg_game, GAMES[made.justtcg_game].casefold())


def _first_values(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in request.query.items()}


def _meta(total: int, limit: int, offset: int) -> dict[str, object]:
    return {"total": total, "limit": limit, "offset": offset, "hasMore": offset + limit < total}


def _error(status: int, text: str, code: str) -> Response:
    return json_answer({"error": text, "code": code}, status)
