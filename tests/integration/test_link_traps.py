"""Wrong ids, renamed and re-used products and shared ids, through the wired tracker.

Each is caught before its price is seen on a card, with both sides in the evidence.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tcgtracker.catalog.review_rows import LinkFilter
from tcgtracker.catalog.service import import_catalog
from tcgtracker.database.migrate import upgrade
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.source import Source
from tcgtracker.quotes.link_choices import Choice, Reviewer
from tcgtracker.quotes.link_views import LinkView
from tcgtracker.sandbox.make_world import make_world
from tcgtracker.sandbox.pricecharting import PriceChartingSandbox
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.sandbox.tcgcsv import TcgcsvSandbox
from tcgtracker.sandbox.traps import Trap
from tcgtracker.sandbox.wire import SandboxVendor
from tcgtracker.sandbox.world import World, WorldCard
from tcgtracker.tracker import Tracker
from tests.conftest import new_postgres_database
from tests.integration.vendor_faults.stack import SEEDED_AT, build
from tests.unit.catalog.builders import a_product, envelope

PC = Source.PRICECHARTING
SETS = ("base1", "base1s", "base2", "sv1", "S12a")
EVERY = tuple(LinkState)


@dataclass
class Scene:
    """A tracker that took in TCGplayer's catalog and prices, and PriceCharting's guide."""

    tracker: Tracker
    sandbox: Sandbox
    world: World

    def guide(self) -> None:
        """Take in the guide of the next day."""
        self.sandbox.clock.advance(timedelta(days=1))
        self.tracker.bulk_sync.pricecharting("pokemon", force=True).raise_failure()

    def links(self, external_id: str) -> list[LinkView]:
        found = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.tracker.link_review.queue(
                LinkFilter(states=EVERY, source=PC), limit=200, cursor=cursor
            )
            found += [one for one in page.links if one.product.external_id == external_id]
            cursor = page.next_cursor
        return found

    def link(self, external_id: str) -> LinkView:
        (found,) = self.links(external_id)
        return found

    def shown(self, card_id: int) -> set[str]:
        """Return PriceCharting's products whose price the card shows."""
        with self.tracker.database.read() as connection:
            rows = connection.execute(
                text(
                    "SELECT v.external_id FROM card_quotes q"
                    " JOIN price_series s ON s.id = q.series_id"
                    " JOIN vendor_products v ON v.id = s.vendor_product_id"
                    " WHERE q.card_id = :card AND q.source = 'pricecharting'"
                ),
                {"card": card_id},
            )
            return {row[0] for row in rows}

    def recorded(self, external_id: str) -> int:
        """Return how many prices lie in the history under a product."""
        with self.tracker.history.read() as connection:
            return len(
                connection.execute(
                    text(
                        "SELECT s.id FROM price_series s JOIN vendor_products v"
                        " ON v.id = s.vendor_product_id"
                        " WHERE v.external_id = :name AND v.source = 'pricecharting'"
                    ),
                    {"name": external_id},
                ).all()
            )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("traps")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # where no .env is
        if request.param == "sqlite":
            yield from _scene(f"sqlite:///{folder / 'traps.db'}", folder, patch)
            return
        with new_postgres_database() as url:
            yield from _scene(url, folder, patch)


def _scene(url: str, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Scene]:
    whole = make_world(1, date(2026, 5, 1))
    world = replace(whole, sets=tuple(one for one in whole.sets if one.code in SETS))
    vendors: list[SandboxVendor] = [PriceChartingSandbox(world), TcgcsvSandbox(world)]
    with Sandbox(vendors, now=SEEDED_AT) as sandbox:
        sandbox.tune("pricecharting", call_pause_s=0.0, csv_pause_s=0.0)
        sandbox.tune("tcgcsv", pacing=False)
        tracker = build(sandbox, url, patch)
        try:
            upgrade(tracker.database)
            files = [path for made in world.sets for path in _catalog(folder, made.code, world)]
            import_catalog(tracker.database, tracker.history, files, clock=sandbox.clock)
            tracker.bulk_sync.tcgcsv("pokemon").raise_failure()
            tracker.bulk_sync.pricecharting("pokemon").raise_failure()
            yield Scene(tracker, sandbox, world)
        finally:
            tracker.close()


def _catalog(folder: Path, code: str, world: World) -> list[Path]:
    """Write a set as TCGplayer's catalog has it."""
    made = next(one for one in world.sets if one.code == code)
    place = {"groupId": made.group_id, "categoryId": made.category_id}
    group = {**place, "name": made.name, "publishedOn": made.released.isoformat()}
    rows = [
        a_product(card.product_id, card.number, card.tcgplayer_name or card.name, **place)
        for card in made.cards
        if card.product_id and not card.sealed
    ]
    return [
        envelope(folder / f"{code}-groups.json", [group]),
        envelope(folder / f"{code}-products.json", rows),
    ]


def ordinary(scene: Scene, code: str, *, above: int = 0) -> WorldCard:
    """Return a card without a trap whose plain page's link is trusted."""
    made = next(one for one in scene.world.sets if one.code == code)
    return [
        card
        for card in made.cards
        if not card.traps and not card.sealed and "" in card.pricecharting_ids
    ][above]


def test_a_planted_wrong_tcg_id_shows_nothing_and_can_be_set_right(scene: Scene) -> None:
    (card,) = (one for one in scene.world.trapped(Trap.WRONG_TCG_ID) if one.set_code == "sv1")
    pages = card.pricecharting_ids
    for page in pages.values():
        link = scene.link(page)
        assert link.record.state is LinkState.UNKNOWN
        assert link.record.card_name != card.name
        assert link.record.evidence.startswith("refused: pricecharting states")
        assert {one.field for one in link.parts if one.verdict == "disagrees"} >= {"name"}
        assert page not in scene.shown(link.record.card_id)
        assert scene.recorded(page), "the prices are kept all the same"
    link = scene.link(pages[""])
    with scene.tracker.database.read() as connection:
        right = connection.execute(
            text("SELECT id FROM cards WHERE name LIKE :name AND collector_number = :number"),
            {"name": f"{card.name}%", "number": card.number},
        ).scalar_one()
    choice = Choice(card_id=right, printing=card.printings[0].name, version=link.version)
    scene.tracker.link_review.accept(link.record.id, Reviewer("ash"), choice)
    assert scene.shown(right) == {pages[""]}
    scene.guide()
    assert scene.shown(right) == {pages[""]}
    assert scene.link(pages[""]).record.decided_by == "ash"


def test_a_renamed_product_is_suspended_until_it_has_its_name_again(scene: Scene) -> None:
    card = ordinary(scene, "sv1")
    page = card.pricecharting_ids[""]
    before = scene.link(page).record
    assert (before.state, scene.shown(before.card_id)) == (LinkState.DERIVED, {page})
    params = {"keys": "^product-name$", "match": {"id": page}, "value": "Mistaken Identity #999"}
    scene.sandbox.fault("field_set", vendor="pricecharting", params=params)
    scene.guide()
    now = scene.link(page).record
    assert now.state is LinkState.SUSPENDED
    assert f"trusted as pricecharting states {card.name!r}"[:40] in now.evidence
    assert "now pricecharting states 'Mistaken Identity #999'" in now.evidence
    assert page not in scene.shown(now.card_id)
    assert now.market_price is not None, "it stands in the queue with what is at stake"
    scene.sandbox.clear_faults()
    scene.guide()
    assert scene.link(page).record.state is LinkState.DERIVED
    assert scene.shown(before.card_id) == {page}


def test_ids_that_change_hands_are_suspended_on_both_cards(scene: Scene) -> None:
    one, other = ordinary(scene, "sv1", above=1), ordinary(scene, "sv1", above=2)
    pages = {one.pricecharting_ids[""]: other, other.pricecharting_ids[""]: one}
    cards = {page: scene.link(page).record.card_id for page in pages}
    for page, becomes in pages.items():
        name = f"{becomes.name} #{becomes.short_number}"
        for key, value in (("product-name", name), ("tcg-id", str(becomes.product_id))):
            params = {"keys": f"^{key}$", "match": {"id": page}, "value": value}
            scene.sandbox.fault("field_set", vendor="pricecharting", params=params)
    scene.guide()
    for page, card_id in cards.items():
        link = scene.link(page).record
        assert (link.state, link.card_id) == (LinkState.SUSPENDED, card_id), "never followed"
        assert pages[page].name in link.evidence
        assert page not in scene.shown(card_id)
    scene.sandbox.clear_faults()
    scene.guide()
    for page, card_id in cards.items():
        assert scene.shown(card_id) == {page}


def test_a_first_edition_that_shares_an_id_with_unlimited_is_kept_apart(scene: Scene) -> None:
    card = next(
        one
        for one in scene.world.cards()
        if one.set_code == "base2" and "1st Edition" in one.pricecharting_ids and not one.traps
    )
    pages = card.pricecharting_ids
    plain, first = scene.link(pages[""]).record, scene.link(pages["1st Edition"]).record
    assert plain.card_id == first.card_id
    assert (plain.printing, first.printing) == ("Unlimited", "1st Edition")
    assert {plain.state, first.state} == {LinkState.DERIVED}
    assert "[1st edition] are its other printings" in plain.evidence
    assert scene.shown(plain.card_id) == {pages[""]}, "the headline is not the 1st Edition"


def twins(scene: Scene) -> tuple[WorldCard, WorldCard]:
    """Return a card of the set without shadows, and its twin of the plain set."""
    (shadowless, *_) = scene.world.trapped(Trap.SHARED_TCG_ID)
    (plain,) = (
        one
        for one in scene.world.cards()
        if one.set_code == "base1"
        and (one.name, one.number) == (shadowless.name, shadowless.number)
    )
    return plain, shadowless


def test_shadowless_pages_that_share_an_id_are_told_apart_by_their_brackets(scene: Scene) -> None:
    plain, shadowless = twins(scene)
    links = {
        printing: scene.link(page).record for printing, page in shadowless.pricecharting_ids.items()
    }
    assert {printing: link.printing for printing, link in links.items()} == {
        "Unlimited Holofoil": "Unlimited Holofoil",
        "1st Edition Holofoil": "1st Edition Holofoil",
    }
    assert {link.state for link in links.values()} == {LinkState.DERIVED}
    (card_id,) = {link.card_id for link in links.values()}
    assert scene.shown(card_id) == {shadowless.pricecharting_ids["Unlimited Holofoil"]}
    other = scene.link(plain.pricecharting_ids[""]).record
    assert (other.state, other.printing) == (LinkState.DERIVED, "Holofoil")
    assert other.card_id != card_id


def test_a_shadowless_page_that_states_the_plain_card_s_id_waits_with_a_reason(
    scene: Scene,
) -> None:
    plain, shadowless = twins(scene)
    page = shadowless.pricecharting_ids["Unlimited Holofoil"]
    before = scene.link(page).record
    wrong = {"keys": "^tcg-id$", "match": {"id": page}, "value": str(plain.product_id)}
    scene.sandbox.fault("field_set", vendor="pricecharting", params=wrong)
    scene.guide()
    link = scene.link(page).record
    assert (link.state, link.card_id) == (LinkState.SUSPENDED, before.card_id)
    assert f"TCGplayer product '{plain.product_id}'" in link.evidence
    assert page not in scene.shown(link.card_id)
    queue = scene.tracker.link_review.queue(LinkFilter(source=PC), limit=200)
    assert page in {one.product.external_id for one in queue.links}
    scene.sandbox.clear_faults()
    scene.guide()
    assert scene.link(page).record.state is LinkState.DERIVED
