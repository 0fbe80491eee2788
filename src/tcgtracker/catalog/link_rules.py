"""The rules `ids-1`, without a database: from claims and products of a card to its links.

A product id that exactly one card claims proves the card, never the printing: that needs the sub
key, or a card with one printing. What is not proven is unknown, with the reason.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tcgtracker.catalog.importer import VENDOR_ORIGIN
from tcgtracker.catalog.link_rows import ClaimRow, LinkRow, VendorProduct
from tcgtracker.catalog.numbers import printing_label
from tcgtracker.domain.catalog import LinkState

RULE_VERSION = "ids-1"
_SHOWN = 5


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
) -> list[Decision]:
    """Decide each product on its own; `printings` are those known of each card."""
    known = {card_id: set(names) for card_id, names in printings.items()}
    # Those with a sub key first: they tell which printings a card has.
    ordered = sorted(products, key=lambda product: (not product.sub_key, product.id))
    decisions = []
    for product in ordered:
        decision = _decide_one(product, claims[product.external_id], known)
        if decision.printing:
            known.setdefault(decision.claim.card_id, set()).add(decision.printing)
        decisions.append(decision)
    return decisions


def _decide_one(
    product: VendorProduct, claims: Sequence[ClaimRow], printings: Mapping[int, Collection[str]]
) -> Decision:
    claim = min(claims, key=lambda one: one.card_id)
    unknown = LinkState.UNKNOWN
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


def refuse_rivals(decisions: Sequence[Decision], kept: Sequence[LinkRow]) -> None:
    """Trust no two products of one card that name the same printing.

    The one whose catalog states that very printing stays; where a person has decided for one,
    that one stays.
    """
    taken = {(link.card_id, link.printing) for link in kept if link.state.trusted and link.printing}
    rivals: dict[tuple[int, str], list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.state.trusted:
            rivals[decision.claim.card_id, decision.printing].append(decision)
    for place, group in rivals.items():
        ids = sorted({decision.product.external_id for decision in group})
        stated = [one for one in group if one.claim.printing == one.printing]
        if len(group) == 1 and place not in taken:
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
