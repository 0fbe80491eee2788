"""How well a product and a card agree, in parts that can be read."""

from tcgtracker.catalog.matching.index import CandidateIndex, Known
from tcgtracker.catalog.matching.names import (
    LEAST_ALIKE,
    LEAST_ALIKE_KNOWN,
    CardName,
    NameVerdict,
    compare_names,
    unexplained,
)
from tcgtracker.catalog.matching.numbers import CardNumber
from tcgtracker.catalog.matching.values import Part, Product, Scored, SetAlias
from tcgtracker.catalog.names import folded

_NAMES = {
    NameVerdict.SAME: 0.30,
    NameVerdict.BESIDES: 0.28,
    NameVerdict.QUALIFIED: 0.27,
    NameVerdict.ALIKE: 0.20,
}
_FULL_NUMBER, _BARE_NUMBER = 0.30, 0.25
_TOTAL_SAME, _TOTAL_OTHER = 0.03, -0.16
_RARITY_SAME, _RARITY_OTHER = 0.02, -0.06
_PRICE_APART = -0.02
_APART = 10
"""Times that one price must be the other for the price to say anything."""
_ANOTHER_ART = -0.30
_UNEXPLAINED = -0.20
_REPRINT_ART = -0.04
NUMBERED_PICTURES = frozenset({"pokemon"})
"""Games that give each picture a number of its own: what stands in brackets is a printing."""
_RARITIES = {
    "onepiece": {
        "l": "leader",
        "c": "common",
        "uc": "uncommon",
        "r": "rare",
        "sr": "superrare",
        "sec": "secretrare",
        "sp": "special",
        "sp card": "special",
        "tr": "treasurerare",
        "pr": "promo",
    }
}
"""Where one card number has several rarities, so that the rarity tells something."""


def score(
    product: Product,
    number: CardNumber,
    name: CardName,
    known: Known,
    alias: SetAlias,
    index: CandidateIndex,
) -> Scored | None:
    """Return how a product agrees with a card of a set that its own may be; None if it does not."""
    number_part = _number(number, known, alias, index)
    if number_part is None:
        return None
    alike = LEAST_ALIKE_KNOWN if index.is_name(product.game, name.core) else LEAST_ALIKE
    verdicts = [(compare_names(name, one, least_alike=alike), one) for one in known.names]
    verdict, ours = max(verdicts, key=lambda item: _NAMES.get(item[0], 0.0))
    if verdict not in _NAMES:
        return None
    variant = " ".join(unexplained(name, ours))
    parts = [
        number_part,
        Part("name", str(verdict), _NAMES[verdict]),
        Part("set", alias.evidence, alias.weight),
        *_total(number, known, alias),
        *_picture(product, name, variant, known),
        *_rarity(product, name, known),
        *_price(product, known),
    ]
    return Scored(known.place, variant, tuple(parts))


def _number(
    number: CardNumber, known: Known, alias: SetAlias, index: CandidateIndex
) -> Part | None:
    if number.prefix == known.number.prefix:
        return Part("number", "is the same", _FULL_NUMBER)
    if number.prefix and known.number.prefix:
        return None
    # `50` is `SWSH050` in a set where every number begins so, never `TG12` beside `12`.
    if alias.bare and index.lettered(alias.set, number):
        return Part("number", "is the same but for the set's letters", _BARE_NUMBER)
    return None


def _total(number: CardNumber, known: Known, alias: SetAlias) -> list[Part]:
    if not number.total or not alias.set.total or known.number.prefix:
        return []
    if number.total == alias.set.total:
        return [Part("set's size", "is the same", _TOTAL_SAME)]
    return [Part("set's size", f"{number.total} is not {alias.set.total}", _TOTAL_OTHER)]


def _picture(product: Product, name: CardName, variant: str, known: Known) -> list[Part]:
    if product.game in NUMBERED_PICTURES:
        return []
    parts = []
    if variant:
        parts.append(Part("aside", f"{variant!r} is not explained", _UNEXPLAINED))
    art = known.candidate.art
    if bool(name.art) != bool(art):
        reprint = not name.art and art.startswith("r")
        weight = _REPRINT_ART if reprint else _ANOTHER_ART
        parts.append(Part("picture", "is another", weight))
    return parts


def _rarity(product: Product, name: CardName, known: Known) -> list[Part]:
    names = _RARITIES.get(product.game)
    if not names or not product.rarity or not known.candidate.rarity:
        return []
    ours = folded(known.candidate.rarity).replace(" ", "")
    # `(SP)` beside the name says more than the field, which has the base card's rarity then.
    words = [word for word in name.art if word in names] or [folded(product.rarity)]
    said = {names.get(word, word.replace(" ", "")) for word in words}
    if ours in said:
        return [Part("rarity", "is the same", _RARITY_SAME)]
    weight = _UNEXPLAINED if name.art & names.keys() else _RARITY_OTHER
    return [Part("rarity", f"{', '.join(sorted(said))} is not {ours}", weight)]


def _price(product: Product, known: Known) -> list[Part]:
    """Compare price levels: the last and weakest signal, where all else is equal."""
    ours = known.candidate
    if not product.price or not ours.price or product.currency != ours.currency:
        return []
    if max(product.price, ours.price) < _APART * min(product.price, ours.price):
        return []
    return [Part("price", "is of another level", _PRICE_APART)]
