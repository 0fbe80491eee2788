"""Products of a vendor's guide that no shared id ties to a card, tied by what both sides say.

What is proposed is written as claims, so that the rules of links, of refusals by people and of
statements that stop agreeing hold for it as for any other.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tcgtracker.catalog import claims as rules
from tcgtracker.catalog.agreement import may_be_of_another_set, stated_number
from tcgtracker.catalog.link_rows import ClaimRow, Origin, claims_of_products, products_of_ids
from tcgtracker.catalog.links import LinkReport, link_products
from tcgtracker.catalog.match_rows import (
    OurCards,
    cards_with_product_ids,
    decided_products,
    load_our_cards,
    load_own_prices,
    load_stated_names,
)
from tcgtracker.catalog.matching.index import CandidateIndex
from tcgtracker.catalog.matching.matcher import RULE_VERSION, match
from tcgtracker.catalog.matching.values import Product, Scored, SetAlias
from tcgtracker.catalog.own_cards import Settling, move_set, settle
from tcgtracker.catalog.own_sets import printing_of_statement
from tcgtracker.catalog.records import CatalogIntake
from tcgtracker.catalog.rejections import Rejections, load_rejections
from tcgtracker.catalog.statement_rows import cards_of_aliases, load_stated_of_set, write_claims
from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.catalog import LinkState, ProductType
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import StatedProduct

LEAST_OF_SET = 3
"""Products of a vendor's set that must be linked before the set itself is said to be ours."""
BATCH = 500
"""Products of one transaction: under two seconds of a SQLite writer."""
_SHOWN = 3
_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the words say of one product. decision: derived when trusted, else unknown.

    variant: what the product's name says beyond the card's, such as a printing in brackets.
    """

    product: StatedProduct
    card_id: int
    variant: str
    score: float
    evidence: str
    decision: LinkState


@dataclass(slots=True)
class MatchReport:
    """What became of the products of one source and game.

    known: tied already, by ids or before. kept: a person decided, or an id says something else.
    linked: newly tied. suggested: newly put before a person. unknown: nothing fits well enough.
    contradicted: the words say another card than the one that the product is tied to; nothing is
    done, and `notes` has the first of them.
    sets_learned: sets of the vendor that are a set of ours from now on.
    """

    source: Source
    game: str
    products: int = 0
    known: int = 0
    kept: int = 0
    linked: int = 0
    suggested: int = 0
    unknown: int = 0
    contradicted: int = 0
    sets_learned: int = 0
    notes: list[str] = field(default_factory=list)
    links: LinkReport = field(default_factory=LinkReport)

    def counts(self) -> dict[str, int]:
        """Return what is counted, by name."""
        return {
            "products": self.products,
            "known": self.known,
            "kept": self.kept,
            "linked": self.linked,
            "suggested": self.suggested,
            "unknown": self.unknown,
            "contradicted": self.contradicted,
            "sets_learned": self.sets_learned,
        }


@dataclass(slots=True)
class _Game:
    """All that one source says of one game, and what is known of it."""

    source: Source
    game: str
    stated: list[StatedProduct]
    ours: OurCards
    claims: dict[str, list[ClaimRow]]
    own_cards: dict[str, int]
    """Product to the card that it made itself."""
    prices: dict[int, tuple[int, str]]
    shared_ids: dict[int, set[str]]
    """Our card to TCGplayer's ids of it."""
    decided: set[str]
    rejections: Rejections


def match_products(
    intake: CatalogIntake,
    database: Database,
    history: Database,
    *,
    source: Source,
    clock: Clock,
    dry_run: bool = False,
) -> list[MatchReport]:
    """Match all single cards of a source's guide; one report a game. Again changes nothing.

    dry_run: say what would be done, and write nothing.

    Raises:
        Conflict: another import changed the catalog meanwhile.
    """
    with database.read() as connection:
        wanted = load_stated_names(connection, source)
    reports = []
    for game, names in sorted(wanted.items()):
        known = _load(database, history, source, game, names)
        report = MatchReport(source, game, products=len(known.stated))
        proposals, aliases = _propose(known, report)
        if not dry_run:
            _record(intake, database, history, known, proposals, report, clock=clock)
            _learn_sets(intake, known, proposals, aliases, report)
        reports.append(report)
    return reports


def _load(
    database: Database, history: Database, source: Source, game: str, names: set[str]
) -> _Game:
    with database.read() as connection, history.read() as of_history:
        stated = [
            one
            for name in sorted(names)
            for one in load_stated_of_set(connection, source, game, name)
            if one.product_type is ProductType.SINGLE
        ]
        ids = {one.external_id for one in stated}
        claims: dict[str, list[ClaimRow]] = defaultdict(list)
        for claim in claims_of_products(connection, source, ids):
            claims[claim.external_id].append(claim)
        prefix = f"{source}:"
        own = cards_of_aliases(connection, [f"{prefix}{name}" for name in ids])
        return _Game(
            source,
            game,
            stated,
            load_our_cards(connection, game, source),
            claims,
            {alias.removeprefix(prefix): card_id for alias, card_id in own.items()},
            load_own_prices(connection, source),
            cards_with_product_ids(connection, Source.TCGCSV),
            decided_products(connection, of_history, source, ids),
            load_rejections(connection, source, ids),
        )


def _propose(
    known: _Game, report: MatchReport
) -> tuple[list[Proposal], Mapping[tuple[str, str], list[SetAlias]]]:
    """Return what is to be written, and the sets that were learned by the vendor's name."""
    index = CandidateIndex(known.ours.candidates)
    result = match([_product(known, one) for one in known.stated], index)
    proposals = []
    for stated, decision in zip(known.stated, result.decisions, strict=True):
        best = decision.candidates[0] if decision.candidates else None
        chosen = known.ours.card_ids[decision.chosen.candidate] if decision.chosen else None
        if (tied := _tied_to(known, stated)) is not None:
            report.known += 1
            if chosen not in (None, tied):
                report.contradicted += 1
                if len(report.notes) < _EXAMPLES:
                    text = f"{stated.external_id}: tied to card {tied}, words say {chosen}"
                    report.notes.append(text)
        elif _is_kept(known, stated):
            report.kept += 1
        elif best is None:
            report.unknown += 1
        elif known.rejections.refuse_card(stated.external_id, known.ours.card_ids[best.candidate]):
            report.kept += 1
        else:
            proposal = _proposal(known, stated, best, decision.candidates, decision.reason)
            if proposal.decision is LinkState.DERIVED:
                report.linked += 1
                proposals.append(proposal)
            elif stated.external_id in known.own_cards:
                report.unknown += 1  # its price stands on a card of its own
            else:
                new = not known.claims.get(stated.external_id)
                report.suggested += new
                report.unknown += not new
                proposals.append(proposal)
    aliases: dict[tuple[str, str], list[SetAlias]] = defaultdict(list)
    for alias in result.aliases:
        aliases[alias.game, alias.name].append(alias)
    return proposals, aliases


def _product(known: _Game, stated: StatedProduct) -> Product:
    own_card = known.own_cards.get(stated.external_id)
    price, currency = known.prices.get(own_card, (None, "")) if own_card else (None, "")
    return Product(
        game=stated.game,
        name=stated.name,
        number=stated_number(stated),
        set_name=stated.set_name,
        rarity=stated.rarity,
        printing=stated.printing,
        price=price,
        currency=currency,
    )


def _tied_to(known: _Game, stated: StatedProduct) -> int | None:
    """Return the card of another catalog that the product is tied to."""
    for claim in known.claims.get(stated.external_id, ()):
        if claim.trusted and claim.card_id != known.own_cards.get(stated.external_id):
            return claim.card_id
    return None


def _is_kept(known: _Game, stated: StatedProduct) -> bool:
    """Tell whether a person has decided, or an id points somewhere and is not trusted."""
    doubted = any(
        claim.origin in (Origin.REFUSED, Origin.SUSPENDED)
        for claim in known.claims.get(stated.external_id, ())
    )
    return doubted or stated.external_id in known.decided


def _proposal(
    known: _Game,
    stated: StatedProduct,
    best: Scored,
    candidates: Sequence[Scored],
    doubt: str,
) -> Proposal:
    card_id = known.ours.card_ids[best.candidate]
    ids = known.shared_ids.get(card_id, set())
    another = stated.tcgplayer_id and ids and stated.tcgplayer_id not in ids
    if another and not doubt and not best.variant:
        doubt = f"it states product {stated.tcgplayer_id}, the card has {', '.join(sorted(ids))}"
    evidence = (
        f"{rules.said(known.source, stated)}; {RULE_VERSION} {best.score:.2f}:"
        f" {', '.join(str(part) for part in best.parts)}"
    )
    if doubt:
        cards = ", ".join(
            f"{known.ours.card_ids[one.candidate]} ({one.score:.2f})" for one in candidates[:_SHOWN]
        )
        evidence += f"; {doubt}; may be card {cards}"
    state = LinkState.UNKNOWN if doubt else LinkState.DERIVED
    return Proposal(stated, card_id, best.variant, best.score, evidence, state)


def _record(
    intake: CatalogIntake,
    database: Database,
    history: Database,
    known: _Game,
    proposals: Sequence[Proposal],
    report: MatchReport,
    *,
    clock: Clock,
) -> None:
    """Write proposals as claims, and decide the links of their products."""
    tied = [_claim(one, Origin.MATCHED) for one in proposals if one.decision is LinkState.DERIVED]
    suggested = [
        _claim(one, Origin.SUGGESTED) for one in proposals if one.decision is LinkState.UNKNOWN
    ]
    printings = {one.external_id: printing_of_statement(one) for one in known.stated}
    tied.sort(key=lambda claim: (claim.card_id, claim.external_id))  # siblings side by side
    for start in range(0, len(tied), BATCH):
        batch = tied[start : start + BATCH]
        moving = {claim.external_id: printings[claim.external_id] for claim in batch}
        settling = Settling(known.source, known.claims, moving, batch)
        report.links.add(settle(intake, settling, clock=clock).links)
    with unit_of_work(database, history) as uow:
        gone, new = [], []
        for claim in suggested:
            old = known.claims.get(claim.external_id, [])
            if old != [claim]:
                gone += old
                new.append(claim)
        write_claims(uow.connection, known.source, gone=gone, new=new)
        products = products_of_ids(uow.history, known.source, {claim.external_id for claim in new})
        if products:
            report.links.add(link_products(uow, known.source, products, clock=clock))


def _learn_sets(
    intake: CatalogIntake,
    known: _Game,
    proposals: Sequence[Proposal],
    aliases: Mapping[tuple[str, str], list[SetAlias]],
    report: MatchReport,
) -> None:
    """Say that a vendor's set is ours where enough of its products are, and none is elsewhere."""
    cards = {one.product.external_id: one.card_id for one in proposals if one.decision.trusted}
    sets = {
        card_id: candidate.set
        for card_id, candidate in zip(known.ours.card_ids, known.ours.candidates, strict=True)
    }
    linked: dict[str, Counter[int]] = defaultdict(Counter)
    for stated in known.stated:
        if may_be_of_another_set(stated):
            continue
        card_id = cards.get(stated.external_id) or _tied_to(known, stated)
        if card_id in sets:
            linked[stated.set_name].update(known.ours.set_ids[sets[card_id]])
    for name, counts in sorted(linked.items()):
        if len(counts) != 1 or counts.total() < LEAST_OF_SET:
            continue
        alias, set_id = f"{known.source}:{name}", next(iter(counts))
        present = intake.set_of(known.game, alias)
        if present is not None and present.code != alias:
            continue
        said = next(
            (
                one.evidence
                for one in aliases.get((known.game, name), ())
                if set_id in known.ours.set_ids[one.set]
            ),
            f"{counts.total()} of its products are cards of this set, none of another",
        )
        if present is None:
            intake.alias_set(set_id, alias, f"{RULE_VERSION}: {said}")
        else:
            move_set(intake, present.id, set_id, f"{RULE_VERSION}: {said}")
        report.sets_learned += 1


def _claim(proposal: Proposal, origin: Origin) -> ClaimRow:
    return ClaimRow(
        proposal.product.external_id,
        proposal.card_id,
        "",
        proposal.variant,
        origin,
        proposal.evidence,
        proposal.score,
    )
