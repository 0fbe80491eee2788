"""Search over 500,000 products: real names, expanded by sets and numbers, asked as people type.

Each search is followed by a loop that does nothing but use as much CPU: what that takes by the
clock is what the machine's other work costs, and no search can be quicker. A search that waits by
itself (for a thread, a lock or a page of the index) gives its core up, which is counted.
"""

import gzip
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

from tcgtracker.catalog.search.index import IndexedCard, SearchIndex, build_index
from tcgtracker.catalog.search.tokens import words
from tcgtracker.domain.ids import CardId
from tests.bench.support import REAL_DATA, emit, note

PRODUCTS, QUERIES = 500_000, 500
P99_MS, TYPO_RECALL, NUMBER_RECALL = 10.0, 0.85, 1.0
_FILES = (
    "tcgdex/cards.ndjson.gz",
    "tcgplayer_product_rows/opportunities.ndjson.gz",
    "tcgplayer_product_rows/vanguard_16.ndjson.gz",
    "onepiece/cards_english.ndjson.gz",
)
_SHORT = 4
_LETTERS = "aeiourstln"


def run() -> None:
    """Print what building costs, and the speed and recall of each kind of query."""
    random = Random(3)
    cards = list(_cards(random, PRODUCTS))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        start = time.perf_counter()
        count = build_index(place, cards)
        emit("search_build", time.perf_counter() - start, f"s for {count} products")
        size = sum(file.stat().st_size for file in place.iterdir())
        emit("search_index_bytes", size / count, "bytes a product")
        index = SearchIndex(place)
        for kind, typed in _KINDS.items():
            _ask(
                index, kind, [(typed(card, random), card) for card in random.sample(cards, QUERIES)]
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    emit("search_peak_memory", peak / 1024, "MiB, the products of this bench included")


def _ask(index: SearchIndex, kind: str, asked: list[tuple[str, IndexedCard]]) -> None:
    for text, _ in asked[:20]:
        index.search(text, limit=10)
    took, used, control, waits, found = [], [], [], 0, 0
    for text, card in asked:
        waited = _waits()
        start, start_cpu = time.perf_counter(), time.thread_time()
        hits = index.search(text, limit=10)
        used.append((time.thread_time() - start_cpu) * 1e3)
        took.append((time.perf_counter() - start) * 1e3)
        waits += _waits() - waited
        found += card.card_id in hits.card_ids
        control.append(_spin(used[-1] / 1e3) * 1e3)
    p99, p99_cpu = _percentile(took, 99), _percentile(used, 99)
    p99_control = _percentile(control, 99)
    emit(f"search_{kind}_p50", _percentile(took, 50), "ms")
    emit(f"search_{kind}_p99", p99, "ms", limit=P99_MS, ratio=p99 / P99_MS)
    emit(f"search_{kind}_p99_control", p99_control, "ms for the same CPU without a search")
    emit(f"search_{kind}_p99_over_control", p99 / p99_control, "times")
    emit(f"search_{kind}_waits", waits / len(asked), "waits of its own a search")
    # Other work on the machine does not move this one.
    emit(f"search_{kind}_p99_cpu", p99_cpu, "ms of CPU", limit=P99_MS, ratio=p99_cpu / P99_MS)
    limit = {"typo": TYPO_RECALL, "number": NUMBER_RECALL}.get(kind)
    recall = found / len(asked)
    emit(f"search_{kind}_recall", recall, "of the first ten", limit=limit, ratio=recall)


def _waits() -> int:
    """Return how often this thread gave its core up of itself, or waited for the disk."""
    usage = resource.getrusage(resource.RUSAGE_THREAD)
    return usage.ru_nvcsw + usage.ru_majflt


def _spin(cpu_s: float) -> float:
    """Use so much CPU and return the seconds that it took by the clock."""
    start, until = time.perf_counter(), time.thread_time() + cpu_s
    while time.thread_time() < until:
        pass
    return time.perf_counter() - start


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[len(values) * percent // 100]


def _cards(random: Random, count: int) -> Iterator[IndexedCard]:
    """Yield each real product, then the same names in other sets under other numbers."""
    real = list(_real_cards())
    sets = sorted({(card.set_id, card.set_name, card.codes) for card in real})
    note(f"{len(real)} real products of {len(sets)} sets, expanded to {count}")
    taken = {(card.set_id, card.number) for card in real}
    for place in range(count):
        card = real[place % len(real)]
        if place >= len(real):
            set_id, set_name, codes = random.choice(sets)
            number = f"{random.randint(1, 999):03}/{random.choice((102, 165, 198, 230))}"
            while (set_id, number) in taken:  # a number names one card of a set
                number = f"{random.randint(1, 9_999)}/{random.randint(100, 999)}"
            taken.add((set_id, number))
            card = replace(card, number=number, set_id=set_id, set_name=set_name, codes=codes)
        yield replace(card, card_id=CardId(place + 1))


def _real_cards() -> Iterator[IndexedCard]:
    sets: dict[str, int] = {}
    seen: set[tuple[int, str]] = set()
    for name in _FILES:
        with gzip.open(REAL_DATA / name, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                card_name = _text(row, "name", "productName", "product_name", "cleanName")
                number = _text(row, "localId", "number", "cardNumber", "id")
                set_name = _text(row, "set_name", "setName", "groupName", "setId", "pack_id")
                if not words(card_name) or not any(one.isdigit() for one in number):
                    continue
                code = (number.partition("-")[0] if "-" in number else set_name)[:12]
                set_id = sets.setdefault(set_name or name, len(sets) + 1)
                if (set_id, number) in seen:  # a row for each printing
                    continue
                seen.add((set_id, number))
                yield IndexedCard(
                    CardId(1), card_name, number, set_id, set_name, (code,), "", "", "single"
                )


def _text(row: dict[str, object], *names: str) -> str:
    for name in names:
        value = row.get(name)
        if isinstance(value, dict):
            value = value.get("name") or value.get("en")
        if isinstance(value, str | int) and str(value):
            return str(value)
    set_row = row.get("set")
    if "set_name" in names and isinstance(set_row, dict):
        return str(set_row.get("name") or set_row.get("id") or "")
    return ""


def _typed_whole(card: IndexedCard, _random: Random) -> str:
    return f"{card.name} {card.set_name} {card.number}"


def _typed_beginning(card: IndexedCard, random: Random) -> str:
    *whole, last = words(card.name)
    begun = last[: random.randint(3, max(3, len(last)))]
    return " ".join([*whole, begun, card.number])


def _typed_wrong(card: IndexedCard, random: Random) -> str:
    """Return the name and the set's first word, each long word with a slip."""
    return " ".join(
        _mistyped(word, random) if len(word) > _SHORT and word.isalpha() else word
        for word in [*words(card.name), *words(card.set_name)[:1]]
    )


def _typed_number(card: IndexedCard, _random: Random) -> str:
    return f"{words(card.name)[0]} {card.number} {card.set_name}"


def _mistyped(word: str, random: Random) -> str:
    at = random.randrange(1, len(word) - 1)
    return random.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + random.choice(_LETTERS) + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        )
    )


_KINDS: dict[str, Callable[[IndexedCard, Random], str]] = {
    "exact": _typed_whole,
    "prefix": _typed_beginning,
    "typo": _typed_wrong,
    "number": _typed_number,
}
