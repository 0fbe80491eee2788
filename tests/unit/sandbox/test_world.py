"""The made-up catalog: the same everywhere, whole, and with every trap."""

import subprocess
import sys
from collections import Counter
from datetime import date, timedelta

import pytest

from tcgtracker.sandbox.make_world import make_world
from tcgtracker.sandbox.names import page_name
from tcgtracker.sandbox.traps import Trap
from tcgtracker.sandbox.world import World

FIRST_DAY = date(2026, 9, 1)
_PRINT_DIGEST = """
import hashlib
from datetime import date
from tcgtracker.sandbox.make_world import make_world
print(hashlib.sha256(repr(make_world(7, date(2026, 9, 1))).encode()).hexdigest())
"""


def test_same_seed_gives_the_same_world_in_two_processes() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", _PRINT_DIGEST], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


def test_another_seed_gives_another_world(world: World) -> None:
    assert make_world(8, FIRST_DAY).cards() != world.cards()


def test_two_games_two_dozen_sets_and_about_1500_cards(world: World) -> None:
    assert {each.game for each in world.sets} == {"pokemon", "onepiece"}
    assert {each.category_id for each in world.sets} == {3, 85, 68}
    assert len(world.sets) >= 24
    assert 1_400 <= len(world.cards()) <= 1_800
    assert sum(card.sealed for card in world.cards()) > 30
    japanese = [each for each in world.sets if each.category_id == 85]
    assert japanese
    assert {each.justtcg_game for each in japanese} == {"pokemon-japan"}


def test_every_id_belongs_to_one_thing(world: World) -> None:
    cards = world.cards()
    for ids in (
        [card.product_id for card in cards if card.product_id],
        [card.justtcg_id for card in cards if card.justtcg_id],
        [card.justtcg_uuid for card in cards if card.justtcg_uuid],
        [page for card in cards for page in card.pricecharting_ids.values()],
        [card.key for card in cards],
        [
            card.sku_id(printing.name, condition)
            for card in cards
            if card.product_id
            for printing in card.printings
            for condition in card.conditions()
        ],
        [(each.category_id, each.group_id) for each in world.sets],
        [each.justtcg_id for each in world.sets],
    ):
        assert max(Counter(ids).values()) == 1


@pytest.mark.parametrize("trap", Trap)
def test_every_trap_is_there(world: World, trap: Trap) -> None:
    assert world.trapped(trap) or any(trap in each.traps for each in world.sets)


def test_names_and_numbers_repeat_as_the_traps_say(world: World) -> None:
    cards = world.cards()
    sets_of_name: dict[str, set[str]] = {}
    sets_of_both: dict[tuple[str, str], set[str]] = {}
    for card in cards:
        sets_of_name.setdefault(card.name, set()).add(card.set_code)
        sets_of_both.setdefault((card.name, card.number), set()).add(card.set_code)
    for card in world.trapped(Trap.SAME_NAME):
        assert len(sets_of_name[card.name]) > 1, card
    for card in world.trapped(Trap.REPRINT):
        assert len(sets_of_both[(card.name, card.number)]) > 1, card
    numbers = Counter(card.number for card in world.trapped(Trap.BARE_NUMBER))
    assert {"139", "139/195"} <= set(numbers)
    for card in world.trapped(Trap.PARALLEL):
        if card.game == "onepiece":
            plain = [
                each
                for each in cards
                if (each.set_code, each.number) == (card.set_code, card.number)
                and each.product_id != card.product_id
            ]
            assert plain, card
            assert card.printings[0].cents != plain[0].printings[0].cents


def test_shadowless_pages_share_one_tcg_id(world: World) -> None:
    for card in world.trapped(Trap.SHARED_TCG_ID):
        assert len(card.pricecharting_ids) == 2
        assert card.pricecharting_tcg_id == str(card.product_id)
        names = {page_name(card, page) for page in card.pricecharting_ids}
        assert names == {
            f"{card.name} [Shadowless] #{card.short_number}",
            f"{card.name} [1st Edition] #{card.short_number}",
        }


def test_ids_are_wrong_or_missing_where_the_traps_say(world: World) -> None:
    for card in world.trapped(Trap.WRONG_TCG_ID):
        assert int(card.pricecharting_tcg_id) in world.by_product
        assert card.pricecharting_tcg_id != str(card.product_id)
    assert not any(card.pricecharting_tcg_id for card in world.trapped(Trap.NO_TCG_ID))
    for card in world.trapped(Trap.SLUG_ONLY):
        assert card.justtcg_id
        assert not card.justtcg_uuid
        assert card.justtcg_product is None
        assert card.justtcg_number is None
    for card in world.trapped(Trap.ONLY_JUSTTCG) + world.trapped(Trap.ONLY_PRICECHARTING):
        assert card.product_id == 0
        assert bool(card.justtcg_id) != bool(card.pricecharting_ids)
    for card in world.trapped(Trap.ONLY_TCGPLAYER):
        assert not card.justtcg_id
        assert not card.pricecharting_ids
    assert {card.justtcg_number for card in world.trapped(Trap.JUSTTCG_NUMBER_NULL)} == {None}
    assert {card.justtcg_number for card in world.trapped(Trap.JUSTTCG_NUMBER_NA)} == {"N/A"}


def test_empty_group_lists_nothing(world: World) -> None:
    (empty,) = [each for each in world.sets if Trap.EMPTY_GROUP in each.traps]
    assert world.listed(empty.code, FIRST_DAY) == ()


def test_products_are_renamed_vanish_and_move_on_their_day(world: World) -> None:
    eve = timedelta(days=1)
    for card in world.trapped(Trap.RENAMED):
        assert card.renamed is not None
        day, name = card.renamed
        before = world.product(card.product_id, day - eve)
        after = world.product(card.product_id, day)
        assert before is not None
        assert after is not None
        assert (before.tcgplayer_name, after.tcgplayer_name) == (card.tcgplayer_name, name)
    for card in world.trapped(Trap.VANISHES):
        assert card.vanishes is not None
        assert world.product(card.product_id, card.vanishes - eve) is not None
        assert world.product(card.product_id, card.vanishes) is None
        assert card not in world.listed(card.set_code, card.vanishes)
    for card in world.trapped(Trap.MOVES):
        assert card.moves is not None
        day, code = card.moves
        assert card in world.listed(card.set_code, day - eve)
        assert card not in world.listed(card.set_code, day)
        assert card in world.listed(code, day)
