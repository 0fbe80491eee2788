"""Where indexes lie on this host: one folder a version, swapped in whole, one builder at a time."""

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Connection, select

from tcgtracker.catalog.search.index import (
    FORMAT,
    Filters,
    Hits,
    IndexedCard,
    SearchIndex,
    build_index,
)
from tcgtracker.catalog.search.tokens import words
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import (
    cards,
    catalog_version,
    games,
    set_aliases,
    tcg_sets,
)
from tcgtracker.domain.errors import StorageError

log = structlog.get_logger()

LOOK_S = 2.0
"""How often the catalog's version is looked at, at most."""
STALE_S = 30.0
"""An index may be this much older than the catalog, and the time that the next one takes."""
_KEPT = 2
"""Indexes that stay on the disk: another process may still read the one before."""
_LOCK_WAIT_S = 60.0
_LONGEST_CODE = 12


@dataclass(frozen=True, slots=True)
class _Open:
    version: int
    index: SearchIndex


class CardSearch:
    """Searches the catalog as it was half a minute ago at most, mostly a few seconds ago.

    It builds the index when the catalog has changed.

    folder: of this catalog's indexes, made when needed; everything in it can be deleted.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._folder = folder
        self._monotonic = monotonic
        self._open: _Open | None = None
        self._looked = float("-inf")
        self._lock = threading.Lock()
        self._builder: threading.Thread | None = None

    def search(
        self, text: str, filters: Filters | None = None, *, limit: int = 20, offset: int = 0
    ) -> Hits:
        """Return cards, best first.

        Raises:
            StorageError: the index cannot be written or read on this host.
        """
        return self.current().search(text, filters, limit=limit, offset=offset)

    def suggest(self, text: str, filters: Filters | None = None, *, limit: int = 8) -> list[str]:
        """Return names of cards that fit what is being typed, best first, each once."""
        hits = self.current().search(text, filters, limit=limit * 8)
        if not hits.card_ids:
            return []
        with self._database.read() as connection:
            rows = connection.execute(
                select(cards.c.id, cards.c.name).where(cards.c.id.in_(hits.card_ids))
            )
            names = {row.id: row.name for row in rows}
        found: dict[str, str] = {}
        for card_id in hits.card_ids:
            if name := names.get(card_id):
                found.setdefault(" ".join(words(name)), name)
        return list(found.values())[:limit]

    def current(self) -> SearchIndex:
        """Return the index of the catalog; the first one is built first.

        Once the catalog has changed a thread builds the next, and all go on with this one: for a
        large catalog it takes seconds. Only after a pause is it waited for: this one may be as old.
        """
        kept = self._open
        if kept is None:
            return self._first()
        pause = self._monotonic() - self._looked
        if pause < LOOK_S or not self._lock.acquire(blocking=False):
            return kept.index
        builder: threading.Thread | None = None
        try:
            version = self._version()
            if version != kept.version:
                builder = self._builder = threading.Thread(
                    target=self._renew, args=(version,), name="search-index", daemon=True
                )
                builder.start()
            self._looked = self._monotonic()
        finally:
            self._lock.release()
        if builder is not None and pause > STALE_S:
            builder.join()
            return (self._open or kept).index
        return kept.index

    def finish(self) -> None:
        """Wait until the index that is being built, if there is one, is in use."""
        builder = self._builder
        if builder is not None:
            builder.join()

    def _first(self) -> SearchIndex:
        with self._lock:
            if self._open is None:
                self._open = self._opened(self._version())
                self._looked = self._monotonic()
            return self._open.index

    def _renew(self, version: int) -> None:
        with self._lock:
            try:
                self._open = self._opened(version)
            except StorageError as exc:
                # The index before answers; the next look tries again.
                log.warning("search.build_failed", error=str(exc))
            self._looked = self._monotonic()

    def _version(self) -> int:
        with self._database.read() as connection:
            return load_version(connection)

    def _opened(self, version: int) -> _Open:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            place = self._place(version)
            with _one_builder(self._folder):
                if not place.exists():
                    version = self._build()
                    place = self._place(version)
                self._remove_old(place)
            return _Open(version, SearchIndex(place))
        except (OSError, ValueError) as exc:
            raise StorageError(f"the search index in {self._folder} cannot be used: {exc}") from exc

    def _build(self) -> int:
        """Build beside the place and move it there whole; return the version it shows."""
        started = self._monotonic()
        made = self._folder / f"building-{os.getpid()}-{threading.get_ident()}"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        try:
            with self._database.read() as connection:
                version = load_version(connection)
                count = build_index(made, iter_cards(connection))
            place = self._place(version)
            if place.exists():
                shutil.rmtree(made)
            else:
                made.rename(place)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        log.info(
            "search.built",
            cards=count,
            version=version,
            seconds=round(self._monotonic() - started, 2),
        )
        return version

    def _place(self, version: int) -> Path:
        return self._folder / f"cards-{FORMAT}-{version}"

    def _remove_old(self, current: Path) -> None:
        def age(path: Path) -> float:
            with suppress(OSError):
                return path.stat().st_mtime
            return 0.0

        found = sorted(self._folder.glob("cards-*"), key=age, reverse=True)
        for path in [one for one in found if one != current][_KEPT - 1 :]:
            shutil.rmtree(path, ignore_errors=True)
        for path in self._folder.glob("building-*"):
            shutil.rmtree(path, ignore_errors=True)


def search_folder(database: Database, data_folder: Path) -> Path:
    """Return where this host keeps the indexes of a database: beside a file, else by its name."""
    if database.path is not None:
        return database.path.with_name(database.path.name + ".search")
    shown = database.url.render_as_string(hide_password=True)
    return data_folder / "search" / hashlib.sha256(shown.encode()).hexdigest()[:16]


def load_version(connection: Connection) -> int:
    """Return a number that changes with every change of the catalog."""
    return int(connection.execute(select(catalog_version.c.version)).scalar() or 0)


def iter_cards(connection: Connection) -> Iterator[IndexedCard]:
    """Yield every card of the catalog, in the order of ids."""
    codes: dict[int, list[str]] = {}
    names = connection.execute(
        select(set_aliases.c.set_id, set_aliases.c.alias).union_all(
            select(tcg_sets.c.id, tcg_sets.c.code)
        )
    )
    for set_id, alias in names:
        codes.setdefault(set_id, []).append(alias)
    short = {
        set_id: tuple(dict.fromkeys(filter(None, map(_short_code, found))))
        for set_id, found in codes.items()
    }
    rows = connection.execution_options(yield_per=10_000).execute(
        select(
            cards.c.id,
            cards.c.name,
            cards.c.collector_number,
            cards.c.set_id,
            tcg_sets.c.name,
            games.c.slug,
            cards.c.rarity,
            cards.c.product_type,
        )
        .join(tcg_sets, tcg_sets.c.id == cards.c.set_id)
        .join(games, games.c.id == tcg_sets.c.game_id)
        .order_by(cards.c.id)
    )
    for card_id, name, number, set_id, set_name, game, rarity, product_type in rows:
        yield IndexedCard(
            card_id,
            name,
            number,
            set_id,
            set_name,
            short.get(set_id, ()),
            game,
            rarity,
            product_type,
        )


def _short_code(alias: str) -> str:
    """Return the code that people type (`tcgdex:intl:sv3` is sv3), '' for a vendor's number."""
    code = alias.rpartition(":")[2]
    return "" if code.isdigit() or len(code) > _LONGEST_CODE or " " in code else code


@contextmanager
def _one_builder(folder: Path) -> Iterator[None]:
    """Let one process of this host build at a time; a lock of a dead process is no lock."""
    try:
        import fcntl
    except ImportError:  # Windows: two may build the same, the second finds the place taken
        yield
        return
    with (folder / "lock").open("w") as file:
        deadline = time.monotonic() + _LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise OSError("another process has been building it for a minute") from None
                time.sleep(0.05)
        yield
