"""The review of uncertain links: a queue, both sides of each, and what a person decides."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from tcgtracker.catalog.agreement import Verdict
from tcgtracker.catalog.decision_rows import decisions_of_batch
from tcgtracker.catalog.review_rows import (
    MOST_ROWS,
    UNCERTAIN,
    LinkFilter,
    LinkRecord,
    count_links,
    list_links,
    load_links,
)
from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import UnitOfWork, repeated, unit_of_work
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import Conflict, InvalidInput, NotFound
from tcgtracker.operations.audit import add_audit
from tcgtracker.quotes.card_quotes import lock_cards
from tcgtracker.quotes.link_acts import Act, Target
from tcgtracker.quotes.link_choices import (
    MAX_NOTE,
    BulkDecided,
    Choice,
    Decided,
    LinkPage,
    Reviewer,
)
from tcgtracker.quotes.link_views import LinkDetail, LinkView, detail_link, view_links
from tcgtracker.runtime.ports import Cache

MOST_AT_ONCE = 1_000
"""Links that one bulk acceptance takes: a transaction stays short, and an undo of it too."""
_EXAMPLES = 20
_T = TypeVar("_T")


class LinkReview:
    """What pages, the API and the command line call to review links."""

    def __init__(
        self, database: Database, history: Database, clock: Clock, *, cache: Cache
    ) -> None:
        self._database = database
        self._history = history
        self._clock = clock
        self._cache = cache

    def queue(
        self, wanted: LinkFilter | None = None, *, limit: int = 50, cursor: str = ""
    ) -> LinkPage:
        """Return links in question, the most valuable first, those that were skipped last.

        Raises:
            InvalidInput: a limit or cursor that cannot be used.
        """
        wanted = wanted or LinkFilter()
        with self._database.read() as connection, self._history.read() as history:
            page = list_links(connection, wanted, limit=limit, cursor=cursor)
            counts = count_links(connection, wanted)
            views = view_links(connection, history, page.rows)
        return LinkPage(tuple(views), page.next_cursor, counts)

    def show(self, link_id: int) -> LinkDetail:
        """Return a link with both sides, prices and decisions.

        Raises:
            NotFound: there is none with that id.
        """
        with self._database.read() as connection, self._history.read() as history:
            record = load_links(connection, [link_id]).get(link_id)
            found = record and detail_link(connection, history, self._history.dialect, record)
        if not found:
            raise NotFound(f"there is no link {link_id}")
        return found

    def accept(self, link_id: int, by: Reviewer, choice: Choice | None = None) -> Decided:
        """Tie the product of a link to a printing for good; to another card or printing if asked.

        Raises:
            NotFound: there is no such link.
            InvalidInput: no such card or printing, or nothing tells which printing it is.
            Conflict: the link is no longer what was looked at, or something stands against it.
        """
        choice = choice or Choice()

        def decide(act: Act, view: LinkView) -> str:
            moves = choice.card_id not in (None, view.record.card_id)
            printing = choice.printing or ("" if moves else view.proposal)
            new = choice.new_printing or (not moves and printing == view.proposal)
            act.accept(view.record, Target(choice.card_id or view.record.card_id, printing, new))
            return "link.relinked" if moves else "link.accepted"

        return self._decide(link_id, by, choice, decide)

    def reject(
        self, link_id: int, by: Reviewer, choice: Choice | None = None, *, whole_card: bool = True
    ) -> Decided:
        """Refuse for good that a product is this card; or only that it is one printing of it.

        Raises:
            NotFound: there is no such link.
            InvalidInput: nothing tells which printing is refused.
            Conflict: the link is no longer what was looked at, or the pair was refused before.
        """
        choice = choice or Choice()

        def decide(act: Act, view: LinkView) -> str:
            printing = "" if whole_card else choice.printing or view.proposal
            if not whole_card and printing not in (view.proposal, *view.printings):
                raise InvalidInput("name a printing of the card to refuse")
            if not whole_card and not printing:
                raise InvalidInput("name the printing to refuse, or refuse the card")
            act.reject(view.record, printing=printing)
            return "link.rejected"

        return self._decide(link_id, by, choice, decide)

    def skip(self, link_id: int, by: Reviewer, choice: Choice | None = None) -> Decided:
        """Leave a link for later.

        Raises:
            NotFound: there is no such link.
            Conflict: the link is no longer what was looked at.
        """

        def decide(act: Act, view: LinkView) -> str:
            act.skip(view.record)
            return ""

        return self._decide(link_id, by, choice or Choice(), decide)

    def undo(self, link_id: int, by: Reviewer) -> Decided:
        """Take back the last decision on a link that holds; rules decide again what is theirs.

        Raises:
            NotFound: there is no such link.
            Conflict: there is nothing to undo, or what it was tied to is gone.
        """

        def decide(act: Act, view: LinkView) -> str:
            act.undo(act.groups.last_decisions(view.record))
            return "link.undone"

        return self._decide(link_id, by, Choice(), decide)

    def accept_all(
        self, wanted: LinkFilter, by: Reviewer, *, note: str = "", dry_run: bool = True
    ) -> BulkDecided:
        """Accept every link of a rule whose printing is proposed; a dry run changes nothing.

        The `MOST_AT_ONCE` most valuable ones, in one transaction with one batch.

        Raises:
            InvalidInput: the rule names links that are not in question.
        """
        if not set(wanted.states) <= set(UNCERTAIN):
            raise InvalidInput("only links that are unknown or suspended are accepted in bulk")
        _require_note(note)

        def act_on_all(uow: UnitOfWork) -> BulkDecided:
            report = self._accept_each(uow, wanted, by, note)
            if dry_run:
                raise _DryRun(report)
            return report

        try:
            return self._repeated(act_on_all)
        except _DryRun as exc:
            exc.report.batch = None
            return exc.report

    def undo_all(self, batch: UUID, by: Reviewer) -> int:
        """Take back one act with all its links; return how many those were.

        Raises:
            NotFound: no act that holds has this batch.
            Conflict: what a link was tied to is gone.
        """

        def act_on_all(uow: UnitOfWork) -> int:
            decisions = decisions_of_batch(uow.connection, batch)
            if not decisions:
                raise NotFound(f"nothing that holds was decided under {batch}")
            cards = {one.made.new_card_id for one in decisions} - {None}
            lock_cards(uow.connection, [one for one in cards if one is not None])
            act = Act(uow, self._history, self._clock, by=by.name)
            act.undo(decisions)
            act.finish()
            self._after(uow, act)
            self._note(uow, act, by, "link.bulk_undone", str(batch), {"links": act.changed})
            return act.changed

        return self._repeated(act_on_all)

    def _decide(
        self, link_id: int, by: Reviewer, choice: Choice, decide: Callable[[Act, LinkView], str]
    ) -> Decided:
        _require_note(choice.note)

        def act_on_one(uow: UnitOfWork) -> Decided:
            act = Act(uow, self._history, self._clock, by=by.name, note=choice.note)
            view = _view(uow, act.groups.link(link_id))
            if choice.version and choice.version != view.version:
                raise Conflict("the link changed since it was looked at: look again")
            done = decide(act, view)
            act.finish()
            self._after(uow, act)
            now = _view(uow, load_links(uow.connection, [link_id])[link_id])
            if done:
                self._note(uow, act, by, done, _subject(now), _detail(now, choice.note))
            return Decided(act.batch, act.changed, tuple(sorted(act.cards)), now)

        return self._repeated(act_on_one)

    def _accept_each(
        self, uow: UnitOfWork, wanted: LinkFilter, by: Reviewer, note: str
    ) -> BulkDecided:
        act = Act(uow, self._history, self._clock, by=by.name, note=note)
        report = BulkDecided(batch=act.batch)
        report.matched = sum(count_links(uow.connection, wanted).values())
        records = _most_valuable(uow.connection, wanted)
        lock_cards(uow.connection, [record.card_id for record in records])
        for view in view_links(uow.connection, uow.history, records):
            record = act.groups.link(view.record.id)
            if record.state not in UNCERTAIN:
                continue  # accepted beside another condition of the same printing
            if not view.proposal:
                report.unproposed += 1
                continue
            try:
                _require_no_contradiction(view)
                act.accept(record, Target(record.card_id, view.proposal, new_printing=True))
            except (Conflict, InvalidInput) as exc:
                report.refused += 1
                if len(report.conflicts) < _EXAMPLES:
                    report.conflicts.append(f"link {record.id}: {exc}")
                continue
            if len(report.examples) < _EXAMPLES:
                report.examples.append(f"{_subject(view)} as {record.card_name}, {view.proposal}")
        report.accepted = act.changed
        act.finish()
        self._after(uow, act)
        detail = {"links": act.changed, "note": note, "rule": _rule_words(wanted)}
        self._note(uow, act, by, "link.bulk_accepted", str(act.batch), detail)
        return report

    def _repeated(self, act: Callable[[UnitOfWork], _T]) -> _T:
        """Run one transaction, again when another one made the same printing meanwhile."""

        def once() -> _T:
            with unit_of_work(self._database, self._history) as uow:
                return act(uow)

        try:
            return repeated(once, on=(IntegrityError,))
        except IntegrityError as exc:
            raise Conflict("links are being changed by somebody else: try again") from exc

    def _after(self, uow: UnitOfWork, act: Act) -> None:
        keys = [f"card:price:{card_id}" for card_id in sorted(act.cards)]
        if keys:
            uow.after_commit(lambda: self._cache.delete(*keys))

    def _note(
        self,
        uow: UnitOfWork,
        act: Act,
        by: Reviewer,
        action: str,
        subject: str,
        detail: dict[str, Any],
    ) -> None:
        add_audit(
            uow.connection,
            action,
            now=act.now,
            user_id=by.user_id,
            subject=subject,
            detail={"by": by.name, **detail},
            address=by.address,
        )


class _DryRun(Exception):
    def __init__(self, report: BulkDecided) -> None:
        super().__init__()
        self.report = report


def _view(uow: UnitOfWork, record: LinkRecord) -> LinkView:
    views = view_links(uow.connection, uow.history, [record])
    if not views:
        raise Conflict(f"the product of link {record.id} is gone: its source was purged")
    return views[0]


def _most_valuable(connection: Connection, wanted: LinkFilter) -> list[LinkRecord]:
    found: list[LinkRecord] = []
    cursor: str | None = ""
    while cursor is not None and len(found) < MOST_AT_ONCE:
        page = list_links(connection, wanted, limit=MOST_ROWS, cursor=cursor)
        found += page.rows
        cursor = page.next_cursor
    return found[:MOST_AT_ONCE]


def _require_no_contradiction(view: LinkView) -> None:
    """Leave to a person's eye what the vendor's own words speak against.

    Raises:
        Conflict: a field disagrees.
    """
    against = [part for part in view.parts if part.verdict == Verdict.DISAGREE]
    if against:
        said = ", ".join(f"{one.field} {one.vendor!r} is not {one.ours!r}" for one in against)
        raise Conflict(f"the vendor disagrees: {said}")


def _subject(view: LinkView) -> str:
    parts = (view.product.source, view.product.external_id, view.product.sub_key)
    return ":".join(part for part in parts if part)


def _detail(view: LinkView, note: str) -> dict[str, Any]:
    record = view.record
    found: dict[str, Any] = {
        "link_id": record.id,
        "card_id": record.card_id,
        "printing": record.printing,
        "state": record.state.value,
    }
    return found | ({"note": note} if note else {})


def _rule_words(wanted: LinkFilter) -> str:
    words = [f"state {' or '.join(wanted.states)}"]
    words += [f"source {wanted.source}"] if wanted.source else []
    words += [f"game {wanted.game}"] if wanted.game else []
    words += [f"rule {wanted.rule_version}"] if wanted.rule_version else []
    words += [f"score >= {wanted.least_score}"] if wanted.least_score is not None else []
    return ", ".join(words)


def _require_note(note: str) -> None:
    if len(note) > MAX_NOTE or "\0" in note:
        raise InvalidInput(f"a note has at most {MAX_NOTE} characters")
