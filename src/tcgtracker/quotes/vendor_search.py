"""Search at the vendors, at the same time, each within its own time limit.

A vendor that cannot answer is named with its reason and takes nothing from the others. Nothing
that is found here is stored as a price.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import InvalidInput, VendorError
from tcgtracker.integrations.contract import Capability, SearchAnswer, SearchHit, VendorInfo
from tcgtracker.operations.source_status import is_switched_off
from tcgtracker.quotes.guide_products import VENDOR as PRICECHARTING
from tcgtracker.quotes.guide_products import GuideProducts
from tcgtracker.quotes.vendors import Vendors
from tcgtracker.runtime.ports import Cache

SearchFailure = VendorError | InvalidInput
KEPT_FOR_S = 3_600
"""DESIGN section 13; eBay's terms would allow 6 hours (vendors/ebay.md section 6)."""


@dataclass(frozen=True, slots=True)
class FoundAtVendor:
    """What one vendor found; `truncated` when it has, or may have, more than it gave."""

    hits: Sequence[SearchHit]
    truncated: bool


@dataclass(slots=True)
class Findings:
    """What the vendors found, and why some did not answer; by vendor, in the order asked."""

    found: dict[str, FoundAtVendor] = field(default_factory=dict)
    errors: dict[str, SearchFailure] = field(default_factory=dict)


class VendorSearch:
    """Searches at vendors; safe to use from several threads."""

    def __init__(
        self, database: Database, vendors: Vendors, guide: GuideProducts, cache: Cache
    ) -> None:
        self._database = database
        self._vendors = vendors
        self._guide = guide
        self._cache = cache

    def names(self) -> list[str]:
        """Return the vendors that can be searched, configured or not."""
        return list(self._infos())

    def search(self, vendor: str, query: str, *, game: str, limit: int) -> FoundAtVendor:
        """Return what one vendor finds.

        Raises:
            VendorError: it does not answer, or is not configured.
            InvalidInput: it cannot be searched for this.
        """
        findings = self.search_each([vendor], query, game=game, limit=limit)
        for error in findings.errors.values():
            raise error
        return findings.found[vendor]

    def search_each(self, names: Sequence[str], query: str, *, game: str, limit: int) -> Findings:
        """Return what each of the vendors finds."""
        infos = self._infos()
        findings = Findings()
        asked: dict[str, SearchAnswer | SearchFailure] = {}
        missing = []
        for name in dict.fromkeys(names):
            known = self._known(name, infos.get(name), query, game=game, limit=limit)
            if known is None:
                missing.append(name)
            else:
                asked[name] = known
        answers = self._vendors.search_each(missing, query, game=game, limit=limit)
        for name, answer in answers.items():
            if isinstance(answer, SearchAnswer):
                self._keep(_key(name, query, game=game, limit=limit), answer)
        asked |= answers
        for name in dict.fromkeys(names):
            answer = asked[name]
            if isinstance(answer, SearchAnswer):
                findings.found[name] = FoundAtVendor(tuple(answer.hits[:limit]), answer.truncated)
            else:
                findings.errors[name] = answer
        return findings

    def _infos(self) -> dict[str, VendorInfo]:
        return {
            entry.info.vendor: entry.info
            for entry in self._vendors.entries()
            if Capability.SEARCH in entry.info.capabilities
        }

    def _known(
        self, name: str, info: VendorInfo | None, query: str, *, game: str, limit: int
    ) -> SearchAnswer | SearchFailure | None:
        """Return what needs no call: a refusal, our own products, or an answer that was kept."""
        if info is None:
            return InvalidInput(f"{name} cannot be searched; these can: {', '.join(self.names())}")
        if game not in info.games:
            return InvalidInput(
                f"{info.title} is not asked about {game!r}; known: {', '.join(info.games)}"
            )
        with self._database.read() as connection:
            # What was kept before a source was switched off may have been purged since.
            off = is_switched_off(connection, name)
        if name == PRICECHARTING:
            ours = self._guide.search(query, game=game, limit=limit, kept=not off)
            if ours is not None:
                return ours
        return None if off else self._kept(_key(name, query, game=game, limit=limit))

    def _kept(self, key: str) -> SearchAnswer | None:
        raw = self._cache.get(key)
        if raw is None:
            return None
        try:
            kept = msgspec.json.decode(raw, type=_Kept)
        except msgspec.MsgspecError:  # of another version of the program
            self._cache.delete(key)
            return None
        return SearchAnswer(hits=kept.hits, truncated=kept.truncated)

    def _keep(self, key: str, answer: SearchAnswer) -> None:
        kept = msgspec.json.encode(_Kept(answer.hits, answer.truncated))
        self._cache.set(key, kept, ttl_s=KEPT_FOR_S)


class _Kept(msgspec.Struct):
    hits: list[SearchHit]
    truncated: bool


def _key(vendor: str, query: str, *, game: str, limit: int) -> str:
    words = " ".join(query.casefold().split())
    return f"search:{vendor}:{game}:{limit}:{hashlib.sha256(words.encode()).hexdigest()[:32]}"
