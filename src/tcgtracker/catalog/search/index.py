"""One built index: answers queries, changes never."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tantivy

from tcgtracker.catalog.search.tokens import (
    fold,
    number_terms,
    plain_number,
    query_tokens,
    words,
)
from tcgtracker.domain.ids import CardId

FORMAT = 1
"""Of the fields below: an index of another format is built anew."""
MOST_HITS = 100
_EXPANSIONS = 100
_MIN_FUZZY = 4
_LONG = 8
_HEAP_BYTES = 64 << 20
# How much more a token says when it is a whole word there than when it begins one.
_WEIGHTS = (("number", 6.0), ("code", 4.0), ("name", 3.0), ("set_name", 1.5))
_WHOLE_NAME = 8.0
_BEGINS = 0.5


@dataclass(frozen=True, slots=True)
class IndexedCard:
    """A card as it is searched for. codes: of its set, short ones (`sv3`, `op01`)."""

    card_id: CardId
    name: str
    number: str
    set_id: int
    set_name: str
    codes: tuple[str, ...]
    game: str
    rarity: str
    product_type: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What hits must have; None and '' for anything."""

    game: str = ""
    set_id: int | None = None
    rarity: str = ""
    product_type: str = ""


@dataclass(frozen=True, slots=True)
class Hits:
    """Cards best first. total counts all, `corrected` says that a token was not taken literally."""

    card_ids: list[CardId]
    total: int
    corrected: bool


def build_index(folder: Path, cards: Iterable[IndexedCard]) -> int:
    """Write an index into an empty folder; return how many cards it holds."""
    index = tantivy.Index(_schema(), path=str(folder))
    writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
    count = 0
    for card in cards:
        name, set_name = words(card.name), words(card.set_name)
        numbers = number_terms(card.number)
        codes = [fold(code) for code in card.codes]
        writer.add_document(
            tantivy.Document(
                id=card.card_id,
                name=" ".join(plain_number(word) for word in name),
                number=" ".join(numbers),
                code=" ".join(codes),
                set_name=" ".join(plain_number(word) for word in set_name),
                every=" ".join(
                    dict.fromkeys(plain_number(one) for one in (*name, *numbers, *codes, *set_name))
                ),
                whole=" ".join(name),
                game=card.game,
                set_id=card.set_id,
                rarity=fold(card.rarity),
                product_type=card.product_type,
            )
        )
        count += 1
    writer.commit()
    writer.wait_merging_threads()
    return count


class SearchIndex:
    """An open index; threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._index = tantivy.Index.open(str(folder))
        self._schema = self._index.schema
        self._searcher = self._index.searcher()

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def search(
        self, text: str, filters: Filters | None = None, *, limit: int = 20, offset: int = 0
    ) -> Hits:
        """Return the cards that have every token: whole, as a beginning, or mistyped.

        A token is read as mistyped only where nothing begins like it, or where the tokens taken
        literally have no card in common.
        """
        tokens = query_tokens(text)
        if not tokens:
            return Hits([], 0, corrected=False)
        parts = [self._literal(token) for token in tokens]
        corrected = any(part is None for part in parts)
        found = self._run(
            text,
            tokens,
            [part or self._mistyped(token) for part, token in zip(parts, tokens, strict=True)],
            filters,
            limit,
            offset,
        )
        if not found.total:
            corrected = True
            found = self._run(
                text, tokens, [self._either(token) for token in tokens], filters, limit, offset
            )
        return Hits(found.card_ids, found.total, corrected=corrected and found.total > 0)

    def _run(
        self,
        text: str,
        tokens: Sequence[str],
        parts: Sequence[tantivy.Query],
        filters: Filters | None,
        limit: int,
        offset: int,
    ) -> Hits:
        must = [(tantivy.Occur.Must, part) for part in parts]
        whole = tantivy.Query.term_query(self._schema, "whole", " ".join(words(text)))
        # What only ranks stands beside what must match: then the rarest token leads, and the
        # others are looked up for its cards alone.
        query = tantivy.Query.boolean_query(
            [
                *must,
                (tantivy.Occur.Should, tantivy.Query.const_score_query(whole, _WHOLE_NAME)),
                *((tantivy.Occur.Should, one) for token in tokens for one in self._ranks(token)),
                *((tantivy.Occur.Must, one) for one in self._filters(filters or Filters())),
            ]
        )
        result = self._searcher.search(query, limit=limit, offset=offset, count=True)
        addresses = [address for _, address in result.hits]
        ids = self._searcher.fast_field_values("id", addresses) if addresses else []
        total = int(result.count or 0)  # type: ignore[attr-defined] # missing in the stubs
        return Hits([CardId(one) for one in ids if isinstance(one, int)], total, corrected=False)

    def _filters(self, filters: Filters) -> list[tantivy.Query]:
        wanted: list[tuple[str, str | int]] = [
            (name, value)
            for name, value in (
                ("game", filters.game),
                ("rarity", fold(filters.rarity)),
                ("product_type", filters.product_type),
            )
            if value
        ]
        if filters.set_id is not None:
            wanted.append(("set_id", filters.set_id))
        return [
            tantivy.Query.const_score_query(
                tantivy.Query.term_query(self._schema, name, value), 0.0
            )
            for name, value in wanted
        ]

    def _literal(self, token: str) -> tantivy.Query | None:
        """Return what finds the token as a word or the beginning of one, None for no such word."""
        begun = [token] if self._searcher.doc_freq("every", token) else []
        # A number is meant as it stands: 12 is not the beginning of 125. Nor are the thousands of
        # terms gone through that begin like it.
        if not (begun and token.isdigit()):
            longer = self._searcher.terms_with_prefix("every", token, limit=_EXPANSIONS)
            begun += [term for term, _ in longer if term != token]
        if not begun:
            return None
        if len(begun) == 1:  # a set of terms is gathered whole, one term is skipped through
            found = tantivy.Query.term_query(self._schema, "every", begun[0])
        else:
            found = tantivy.Query.term_set_query(self._schema, "every", begun)
        return tantivy.Query.const_score_query(found, _BEGINS)

    def _ranks(self, token: str) -> list[tantivy.Query]:
        """Return what says more of a card that has the token as a whole word."""
        return [
            tantivy.Query.boost_query(tantivy.Query.term_query(self._schema, name, token), weight)
            for name, weight in _WEIGHTS
        ]

    def _mistyped(self, token: str) -> tantivy.Query:
        if len(token) < _MIN_FUZZY or any(one.isdigit() for one in token):
            return tantivy.Query.term_query(self._schema, "every", token)
        return tantivy.Query.fuzzy_term_query(
            self._schema,
            "every",
            token,
            distance=1 if len(token) < _LONG else 2,
            transposition_cost_one=True,
            prefix=True,
        )

    def _either(self, token: str) -> tantivy.Query:
        literal = self._literal(token)
        mistyped = (tantivy.Occur.Should, self._mistyped(token))
        if literal is None:
            return mistyped[1]
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, literal), mistyped])


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("id", stored=False, indexed=False, fast=True)
    for name in ("name", "number", "code", "set_name", "every"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    for name in ("whole", "game", "rarity", "product_type"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("set_id", indexed=True)
    return builder.build()
