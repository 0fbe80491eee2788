"""Which card a vendor's own product is, judged from what the vendor states: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from tcgtracker.catalog.agreement import (
    Agreement,
    CardFacts,
    Verdict,
    compare,
    stated_number,
)
from tcgtracker.catalog.link_rows import ClaimRow, Origin
from tcgtracker.catalog.names import read_name, read_set
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import StatedProduct


@dataclass(frozen=True, slots=True)
class Leads:
    """What points at cards: claims of the stated TCGplayer id, and the card of the own record."""

    source: Source
    shared: Sequence[ClaimRow]
    own_card: int | None
    """None too where only the vendor's own guide made it, and the shared id points at a card."""
    facts: Mapping[int, CardFacts]


def said(source: Source, stated: StatedProduct) -> str:
    """Return the statement in words: two are equal when all that identifies the product is."""
    text = f"{source} states {stated.name!r} of {stated.set_name!r}"
    if stated.number:
        text += f", number {stated.number!r}"
    if stated.tcgplayer_id:
        text += f", TCGplayer product {stated.tcgplayer_id!r}"
    return text


def identity(stated: StatedProduct) -> tuple[object, ...]:
    """Return what tells the product, free of how it is spelled."""
    return (
        stated.game,
        stated.product_type,
        stated.tcgplayer_id,
        stated_number(stated).casefold(),
        read_name(stated.name),
        read_set(stated.set_name),
    )


def judge(stated: StatedProduct, leads: Leads) -> ClaimRow | None:
    """Return the claim that is proven or refused, None when no id points at a card."""
    cards = sorted({claim.card_id for claim in leads.shared})
    shared = leads.shared[0] if len(cards) == 1 else None
    led_away = shared and (
        shared.card_id == leads.own_card or _against(stated, shared, leads).proves
    )
    if leads.own_card is not None and not led_away:
        own = compare(stated, leads.facts[leads.own_card], vendor=leads.source)
        agrees = own.name is Verdict.AGREE and not own.contradicts
        origin = Origin.OWN_ID if agrees else Origin.REFUSED
        return _claim(stated, leads, leads.own_card, origin, own.brackets, own.text)
    if shared:
        other = _against(stated, shared, leads)
        origin = Origin.TCG_ID if other.proves else Origin.REFUSED
        variant = " / ".join(part for part in (shared.variant, other.brackets) if part)
        return _claim(stated, leads, shared.card_id, origin, variant, other.text)
    if cards:
        reason = f"that product is claimed by {len(cards)} cards: {', '.join(map(str, cards))}"
        return _claim(stated, leads, cards[0], Origin.REFUSED, "", reason)
    return None


def recheck(
    stated: StatedProduct, old: ClaimRow, before: StatedProduct | None, leads: Leads
) -> tuple[ClaimRow | None, str]:
    """Return a trusted claim as it stands now, or None with why it does not.

    Another bracket is another printing: the id was given to something else.
    """
    card = leads.facts[old.card_id]
    new = judge(stated, leads)
    same = before is not None and identity(before) == identity(stated)
    if old.origin == Origin.MATCHED and new is None and same:
        return old, ""
    if new and new.card_id == old.card_id and new.trusted:
        return (new, "") if new.variant == old.variant else (None, _other_bracket(old, new.variant))
    if new and new.card_id != old.card_id and old.origin == Origin.OWN_ID and same:
        return new, ""  # a card of its own, until another catalog brought the one that it names
    if new:
        where = "" if new.card_id == old.card_id else f" (card {new.card_id})"
        return None, f"{new.evidence.partition('; ')[2]}{where}"
    # No id points anywhere any more: what is left must prove the card by itself.
    now = compare(stated, card, vendor=leads.source, variant=old.variant)
    kept_id = before is None or stated.tcgplayer_id in ("", before.tcgplayer_id)
    if not now.proves_alone:
        return None, now.text
    if not kept_id and old.origin not in (Origin.NUMBER_AND_NAME, Origin.MATCHED):
        return None, f"TCGplayer product {stated.tcgplayer_id!r} is of no known card"
    by_words = old.origin in (Origin.NUMBER_AND_NAME, Origin.MATCHED)
    if by_words and now.brackets != old.variant:
        return None, _other_bracket(old, now.brackets)
    if not by_words and now.brackets and now.brackets not in old.variant:
        return None, _other_bracket(old, now.brackets)
    if not by_words and not now.brackets and old.variant:
        return None, _other_bracket(old, "")
    evidence = f"{said(leads.source, stated)}; {now.text}"
    return replace(old, printing="", evidence=evidence), ""


def by_number_and_name(stated: StatedProduct, leads: Leads) -> ClaimRow | None:
    """Return the claim on the one card of a set's `facts` whose number and name these are."""
    fitting = [
        (card_id, agreement)
        for card_id, card in leads.facts.items()
        if (agreement := compare(stated, card, vendor=leads.source)).proves_alone
        and _letters(stated_number(stated)) == _letters(card.number)  # 12 is not TG12
    ]
    if len(fitting) != 1:
        return None
    card_id, agreement = fitting[0]
    text = f"{agreement.text}, the only such card of its set"
    return _claim(stated, leads, card_id, Origin.NUMBER_AND_NAME, agreement.brackets, text)


def _letters(number: str) -> str:
    return "".join(takewhile(str.isalpha, number.strip())).casefold()


def _against(stated: StatedProduct, shared: ClaimRow, leads: Leads) -> Agreement:
    return compare(stated, leads.facts[shared.card_id], vendor=leads.source, variant=shared.variant)


def _claim(
    stated: StatedProduct, leads: Leads, card_id: int, origin: Origin, variant: str, reason: str
) -> ClaimRow:
    evidence = f"{said(leads.source, stated)}; {reason}"
    return ClaimRow(stated.external_id, card_id, "", variant, origin, evidence)


def _other_bracket(old: ClaimRow, bracket: str) -> str:
    return (
        f"it was [{old.variant}] and is [{bracket}] now"
        if old.variant
        else (f"it had no bracket and is [{bracket}] now")
    )
