"""The rules `ids-2`, without a database: from claims and products of a card to its links.

A product id that exactly one card claims proves the card, never the printing: that needs the sub
key, or a card with one printing. Of a vendor's own ids also the bracket in the product's name
proves it, or that the brackets of its siblings leave one. What is not proven is unknown, with the
reason.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from tcgtracker.catalog.agreement import plain_printing, printing_of_bracket
from tcgtracker.catalog.importer import VENDOR_ORIGIN
from tcgtracker.catalog.link_rows import ClaimRow, LinkRow, VendorProduct
from tcgtracker.catalog.numbers import printing_label
from tcgtracker.catalog.writer import ID_SOURCES
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.source import Source

RULE_VERSION = "ids-2"
_SHOWN = 5
_ENGLISH, _JAPANESE = "English", "Japanese"
_UNSAID = "Unknown"
"""As a sub key says that the vendor names no language."""


@dataclass(slots=True)
class Decision:
    """What becomes of one product; `printing` is empty unless the state is trusted."""

    product: VendorProduct
    claim: ClaimRow
    state: LinkState
    printing: str
    evidence: str

    def refuse(self, reason: str) -> None:
        """Trust the product no longer, for one more reason."""
        self.state = LinkState.UNKNOWN
        self.printing = ""
        self.evidence = f"{self.evidence}; {reason}"


def decide(
    products: Sequence[VendorProduct],
    claims: Mapping[str, Sequence[ClaimRow]],
    printings: Mapping[int, Collection[str]],
    refused: Callable[[str, str, int, str], bool] = lambda *_pair: False,
    *,
    asian: Collection[int] = (),
) -> list[Decision]:
    """Decide each product on its own; `printings` are those known of each card.

    refused: tells whether a person refused (external id, sub key, card, printing). asian: the cards
    of Asian sets.
    """
    known = {card_id: set(names) for card_id, names in printings.items()}
    # Those with a sub key first: they tell which printings a card has.
    ordered = sorted(products, key=lambda product: (not product.sub_key, product.id))
    siblings = _siblings(claims)
    decisions = []
    for product in ordered:
        group = claims[product.external_id]
        if product.source in ID_SOURCES or len(group) > 1:
            decision = _decide_one(product, group, known)
        else:
            decision = _decide_own(product, group[0], known, siblings[group[0].card_id])
        card_id, printing = decision.claim.card_id, decision.printing
        if printing and refused(product.external_id, product.sub_key, card_id, printing):
            decision.refuse(f"a person refused {printing}")
        if decision.printing:
            known.setdefault(decision.claim.card_id, set()).add(decision.printing)
        decisions.append(decision)
    _refuse_other_languages(decisions, asian)
    return decisions


def printing_of_sub_key(source: Source, sub_key: str) -> tuple[str, str]:
    """Return printing and language of a sub key: JustTCG's name condition and language too.

    `Holofoil / Near Mint / English` is a Holofoil; '' where the language is not said.
    """
    if source is not Source.JUSTTCG:
        return sub_key, ""
    printing, *rest = (part.strip() for part in sub_key.split(" / "))
    return printing, rest[-1] if len(rest) > 1 else ""


def _siblings(claims: Mapping[str, Sequence[ClaimRow]]) -> dict[int, list[ClaimRow]]:
    """Return the trusted claims of each card, of products that no other card claims."""
    found: dict[int, list[ClaimRow]] = defaultdict(list)
    for group in claims.values():
        if len(group) == 1 and group[0].trusted:
            found[group[0].card_id].append(group[0])
    return found


def _decide_own(
    product: VendorProduct,
    claim: ClaimRow,
    printings: Mapping[int, Collection[str]],
    siblings: Sequence[ClaimRow],
) -> Decision:
    """Decide a product that a vendor names by its own id."""
    unknown, derived = LinkState.UNKNOWN, LinkState.DERIVED
    if not claim.trusted:
        return Decision(product, claim, unknown, "", f"{claim.origin}: {claim.evidence}")
    if product.sub_key:
        printing, _ = printing_of_sub_key(product.source, product.sub_key)
        evidence = f"{claim.evidence}; sub key {product.sub_key}"
        if not printing:
            return Decision(product, claim, unknown, "", f"{evidence} names no printing")
        return Decision(product, claim, derived, printing_label(printing, claim.variant), evidence)
    known = printings.get(claim.card_id, ())
    if claim.variant:
        printing = printing_of_bracket(claim.variant, known)
        reason = f"[{claim.variant}] is " + (
            f"its {printing}" if printing else "no printing that the card is known to have"
        )
        state = derived if printing else unknown
        return Decision(product, claim, state, printing, f"{claim.evidence}; {reason}")
    # A special product of the card (`Holofoil (cosmos)`) has an id of its own.
    plain = [name for name in known if not name.endswith(")")]
    brackets = sorted({one.variant for one in siblings if one.variant})
    twins = sorted(one.external_id for one in siblings if not one.variant)
    printing = plain_printing(plain, brackets) if len(twins) == 1 else ""
    if printing:
        others = ", ".join(f"[{one}]" for one in brackets if printing_of_bracket(one, plain))
        reason = f"{others} are its other printings" if others else "the card's only printing"
        return Decision(product, claim, derived, printing, f"{claim.evidence}; {reason}")
    reason = f"no bracket, and the card has the printings {', '.join(sorted(plain)) or '(none)'}"
    if len(twins) > 1:
        reason = f"products {', '.join(twins[:_SHOWN])} of this card all have no bracket"
    return Decision(product, claim, unknown, "", f"{claim.evidence}; {reason}")


def _refuse_other_languages(decisions: Sequence[Decision], asian: Collection[int]) -> None:
    """Trust the language of the card's set alone: the others cost otherwise.

    An Asian set may be Japanese, Korean or Chinese: there a language that stands alone is believed.
    """
    languages: dict[tuple[str, str], set[str]] = defaultdict(set)
    told: list[tuple[str, Decision]] = []
    for decision in decisions:
        language = printing_of_sub_key(decision.product.source, decision.product.sub_key)[1]
        if language and decision.state.trusted:
            languages[decision.product.external_id, decision.printing].add(language)
            told.append((language, decision))
    for language, decision in told:
        several = len(languages[decision.product.external_id, decision.printing]) > 1
        in_asia = decision.claim.card_id in asian
        wanted = _JAPANESE if in_asia else _ENGLISH
        alone = not several and (in_asia or language == _UNSAID)
        if language != wanted and not alone:
            decision.refuse(f"sold in {language}, and the set's language is {wanted}")


def _decide_one(
    product: VendorProduct, claims: Sequence[ClaimRow], printings: Mapping[int, Collection[str]]
) -> Decision:
    claim = min(claims, key=lambda one: one.card_id)
    unknown = LinkState.UNKNOWN
    if not claim.trusted:
        return Decision(product, claim, unknown, "", f"{claim.origin}: {claim.evidence}")
    if len(claims) > 1:
        cards = ", ".join(str(card_id) for card_id in sorted(one.card_id for one in claims))
        reason = f"product {product.external_id} is claimed by {len(claims)} cards: {cards}"
        return Decision(product, claim, unknown, "", reason)
    state = LinkState.CONFIRMED if claim.origin == VENDOR_ORIGIN else LinkState.DERIVED
    if product.sub_key:
        printing = printing_label(product.sub_key, claim.variant)
        evidence = f"{claim.evidence}; sub key {product.sub_key}"
        return Decision(product, claim, state, printing, evidence)
    names = sorted(printings.get(claim.card_id, ()))
    if len(names) == 1 and not claim.variant:
        evidence = f"{claim.evidence}; the card's only printing"
        return Decision(product, claim, state, names[0], evidence)
    reason = f"{claim.evidence}; no sub key, and the card has {len(names)} known printings"
    return Decision(product, claim, unknown, "", reason)


def refuse_rivals(
    decisions: Sequence[Decision], kept: Sequence[LinkRow], external_ids: Mapping[int, str]
) -> None:
    """Trust no two products of one card that name the same printing.

    The one whose catalog states that very printing stays; where a person has decided for one,
    that one stays. Sub keys of one product that name the same printing are its conditions.
    external_ids: the vendor's id of each product of the `kept` links.
    """
    taken: dict[tuple[int, str], set[str]] = defaultdict(set)
    for link in kept:
        if link.state.trusted and link.printing:
            taken[link.card_id, link.printing].add(external_ids[link.vendor_product_id])
    rivals: dict[tuple[int, str], list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.state.trusted:
            rivals[decision.claim.card_id, decision.printing].append(decision)
    for place, group in rivals.items():
        ids = sorted({decision.product.external_id for decision in group})
        stated = [one for one in group if one.claim.printing == one.printing]
        conditions = len(ids) == 1 and (
            len(group) == 1 or all(decision.product.sub_key for decision in group)
        )
        if conditions and place not in taken:
            continue
        if conditions and taken[place] == set(ids) and group[0].product.source is Source.JUSTTCG:
            continue
        reason = (
            "a person has tied another product to this printing"
            if place in taken
            else f"products {', '.join(ids[:_SHOWN])} all say {place[1]}"
        )
        for decision in group:
            if place in taken or stated != [decision]:
                decision.refuse(reason)


def refuse_unseen_rivals(
    decisions: Sequence[Decision],
    claims: Mapping[str, Sequence[ClaimRow]],
    seen: Collection[str],
) -> None:
    """Trust no sub key against the catalog's word while another product may bear it.

    The catalog says that a product is the reverse, its sub key says Holofoil (real for Japanese
    cards): right when the card's other product is sold as Normal, wrong when it is the Holofoil.
    Until that one is seen, nobody knows.
    """
    plain: dict[int, set[str]] = defaultdict(set)
    for external_id, group in claims.items():
        if len(group) == 1 and not group[0].variant:
            plain[group[0].card_id].add(external_id)
    for decision in decisions:
        claim = decision.claim
        if not decision.state.trusted or claim.variant or not claim.printing:
            continue
        unseen = sorted(plain[claim.card_id].difference(seen, [claim.external_id]))
        if claim.printing != decision.printing and unseen:
            decision.refuse(
                f"the catalog says {claim.printing}, and product {unseen[0]} of the same card"
                " has not been seen yet"
            )


def is_kept(link: LinkRow | None) -> bool:
    return link is not None and (
        bool(link.decided_by) or link.state in (LinkState.REJECTED, LinkState.SUSPENDED)
    )
