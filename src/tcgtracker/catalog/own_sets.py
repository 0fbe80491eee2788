"""A vendor's own sets (PriceCharting's consoles): which of our sets they are, and their own cards.

A console is a set of ours when at least three of its products agree, by shared ids, with cards of
that set and none with a card of another. What no card of ours is becomes a card of its own.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from tcgtracker.catalog import claims as rules
from tcgtracker.catalog.agreement import (
    CardFacts,
    Verdict,
    compare,
    is_printing,
    may_be_of_another_set,
    printing_named,
    stated_number,
)
from tcgtracker.catalog.link_rows import ClaimRow, Origin, claims_of_products
from tcgtracker.catalog.names import ProductName, name_without, read_name, region_of
from tcgtracker.catalog.own_cards import Settling, move_set, settle
from tcgtracker.catalog.records import CatalogIntake
from tcgtracker.catalog.statement_rows import (
    cards_of_set,
    load_facts,
    load_stated_of_set,
    own_cards_of_set,
)
from tcgtracker.catalog.statements import StatedReport, take_stated
from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.catalog import GAMES, Game, ProductType
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.source import Source
from tcgtracker.integrations.catalog_records import CardRecord, SetRecord
from tcgtracker.integrations.contract import StatedProduct

LEAST_SHARED = 3
"""Products of a vendor's set that must agree with cards of one of ours."""
_PLAIN = "Normal"
_SLUG = re.compile(r"[^0-9a-z]+")
_GAMES = {game.slug: game for game in GAMES}


@dataclass(slots=True)
class OwnSetsReport:
    """What became of a vendor's own sets.

    sets_joined: that turned out to be sets of ours. claimed: products tied by number and name.
    waiting: products whose TCGplayer id no catalog knows though a card of the set has the number.
    dropped: cards that only their products had made, and that nothing was left of.
    """

    sets_joined: int = 0
    claimed: int = 0
    waiting: int = 0
    dropped: int = 0
    stated: StatedReport = field(default_factory=StatedReport)


def take_own_sets(
    intake: CatalogIntake,
    database: Database,
    history: Database,
    *,
    source: Source,
    game: str,
    names: Collection[str],
    clock: Clock,
) -> OwnSetsReport:
    """Join a vendor's sets to ours, tie what fits one card, and make cards of what is left.

    After their products were taken down. The same again changes nothing.

    Raises:
        Conflict: another import changed the catalog meanwhile.
    """
    report = OwnSetsReport()
    for name in sorted(names):
        with database.read() as connection:
            stated = load_stated_of_set(connection, source, game, name)
            claims = claims_of_products(connection, source, {one.external_id for one in stated})
            facts = load_facts(connection, {claim.card_id for claim in claims})
        alias = f"{source}:{name}"
        known = intake.set_of(game, alias)
        if known is None or known.code == alias:
            runs = {one.external_id for one in stated if may_be_of_another_set(one)}
            shared = Counter(
                facts[claim.card_id].set_id
                for claim in claims
                if claim.origin == Origin.TCG_ID and claim.external_id not in runs
            )
            if len(shared) == 1 and shared.total() >= LEAST_SHARED:
                set_id = next(iter(shared))
                evidence = (
                    f"{shared.total()} of its products are cards of this set, none of another"
                )
                if known is None:
                    intake.alias_set(set_id, alias, evidence)
                else:
                    move_set(intake, known.id, set_id, evidence)
                report.sets_joined += 1
                known = intake.set_of(game, alias)
        elsewhere = {claim.external_id for claim in claims if claim.origin != Origin.OWN_ID}
        free = [one for one in stated if one.external_id not in elsewhere]
        left = free
        by_product: dict[str, list[ClaimRow]] = defaultdict(list)
        for claim in claims:
            by_product[claim.external_id].append(claim)
        settling = Settling(
            source, by_product, {one.external_id: printing_of_statement(one) for one in stated}
        )
        if known is not None and known.code != alias:
            left = _tie(database, settling, known.id, free)
        report.claimed += len(settling.tied)
        report.waiting += len(settling.waiting)
        settled = settle(intake, settling, clock=clock)
        report.dropped += settled.dropped
        report.stated.links.add(settled.links)
        intake.make_cards(_records(intake, source, game, name, left))
        # Those that were tied or made now: their links are decided like those of any statement.
        with unit_of_work(database, history) as uow:
            report.stated.add(take_stated(uow, database.dialect, source, free, clock=clock))
    return report


def _tie(
    database: Database, settling: Settling, set_id: int, free: Sequence[StatedProduct]
) -> list[StatedProduct]:
    """Find the products whose number and name one card of the set has; return the others.

    Those that may be a card, though it is not proven, wait.
    """
    source = settling.source
    with database.read() as connection:
        own = own_cards_of_set(connection, source, set_id)
        facts = load_facts(connection, set(cards_of_set(connection, set_id)) - own)
    by_name: dict[str, dict[int, CardFacts]] = defaultdict(dict)
    for card_id, card in facts.items():
        by_name[read_name(card.name).plain][card_id] = card
    left = []
    for stated in free:
        namesakes = by_name[read_name(stated.name).plain]
        if stated.tcgplayer_id:
            numbers = (compare(stated, card, vendor=source).number for card in namesakes.values())
            if Verdict.AGREE in numbers:
                # A catalog that knows the id will say which card it is.
                settling.waiting.append(stated.external_id)
            else:
                left.append(stated)
            continue
        leads = rules.Leads(source, (), None, namesakes)
        if claim := rules.by_number_and_name(stated, leads):
            settling.tied.append(claim)
        elif not namesakes or not _may_be_one(source, stated, namesakes.values()):
            left.append(stated)
        else:
            settling.waiting.append(stated.external_id)
    return left


def _may_be_one(source: Source, stated: StatedProduct, cards: Collection[CardFacts]) -> bool:
    """Tell whether the product may be one of these cards, so that it is none of its own."""
    numbers = {compare(stated, card, vendor=source).number for card in cards}
    return numbers != {Verdict.DISAGREE}


def _records(
    intake: CatalogIntake,
    source: Source,
    game: str,
    set_name: str,
    products: Sequence[StatedProduct],
) -> list[tuple[CardRecord, list[str]]]:
    """Return a card for each number, name and picture, with the keys of all its products.

    A bracket that names a printing makes one of the same card; any other another card.
    """
    groups: dict[tuple[str, ...], list[StatedProduct]] = defaultdict(list)
    for stated in products:
        name = read_name(stated.name)
        place = (stated_number(stated), name.plain, *_pictures(name), stated.product_type)
        if stated.product_type is ProductType.SEALED:
            place = (*place, stated.external_id)
        groups[place].append(stated)
    return [_record(intake, source, game, set_name, group) for group in groups.values()]


def _record(
    intake: CatalogIntake,
    source: Source,
    game: str,
    set_name: str,
    group: Sequence[StatedProduct],
) -> tuple[CardRecord, list[str]]:
    def order(one: StatedProduct) -> tuple[bool, bool, int, str]:
        new = not intake.knows_card(f"{source}:{one.external_id}")
        return new, _is_marked(one), len(one.external_id), one.external_id

    ordered = sorted(group, key=order)
    first, *others = ordered
    pictures = _pictures(read_name(first.name))
    number = stated_number(first)
    if first.product_type is ProductType.SEALED:
        number = first.external_id
    printings = tuple(dict.fromkeys(printing_of_statement(one) for one in ordered))
    record = CardRecord(
        key=f"{source}:{first.external_id}",
        set=_set(source, game, set_name),
        collector_number=number,
        name=name_without(first.name, is_printing),
        art=_SLUG.sub("-", " ".join(pictures)).strip("-"),
        rarity=first.rarity,
        product_type=first.product_type,
        printings=printings,
    )
    return record, [f"{source}:{one.external_id}" for one in others]


def _set(source: Source, game: str, name: str) -> SetRecord:
    return SetRecord(
        game=_GAMES.get(game) or Game(game, game),
        code=f"{source}:{name}",
        region=region_of(name),
        name=name,
    )


def _pictures(name: ProductName) -> list[str]:
    return sorted(text for text in (*name.brackets, *name.asides) if not is_printing(text))


def _is_marked(stated: StatedProduct) -> bool:
    return any(is_printing(text) for text in read_name(stated.name).brackets)


def printing_of_statement(stated: StatedProduct) -> str:
    """Return the printing that the brackets name; a vendor leaves the usual one unmarked."""
    named = [text for text in read_name(stated.name).brackets if is_printing(text)]
    return printing_named(named[0]) if len(named) == 1 else " ".join(named) or _PLAIN
