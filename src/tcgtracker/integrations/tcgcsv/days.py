"""Several inputs of TCGCSV answers -> whole scopes, day after day.

One category of one day may be spread over several given files, and an absence means something
only once all of them are read. So each input first says what it holds, and a page is built when
the last answer of its scope has come.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.contract import PricePage
from tcgtracker.integrations.tcgcsv.prices import GroupAnswer, Scope, price_page

MAX_WAITING = 512 * 2**20
"""Bytes of answers held back for scopes that are not whole; a whole day has 70 MB."""

_SHOWN = 5


@dataclass(slots=True)
class Contents:
    """What an input holds.

    answers: how many answers of each scope will come, in the order of first appearance.
    missing: by scope, why the input is known not to hold all of it.
    partial: scopes of which the input holds only chosen groups.
    fault: why the input could not be read to its end; empty when it could.
    """

    answers: Counter[Scope] = field(default_factory=Counter)
    missing: defaultdict[Scope, list[str]] = field(default_factory=lambda: defaultdict(list))
    partial: set[Scope] = field(default_factory=set)
    fault: str = ""


class AnswerInput(Protocol):
    """A file or folder that holds answers."""

    @property
    def name(self) -> str: ...

    @property
    def contents(self) -> Contents: ...

    def answers(self) -> Iterator[tuple[Scope, GroupAnswer]]:
        """Yield as many answers of each scope as `contents` says."""
        ...


def iter_scopes(
    inputs: Sequence[AnswerInput], *, max_waiting: int = MAX_WAITING
) -> Iterator[PricePage]:
    """Yield one page a scope, days in the order in which the inputs name them first.

    Raises:
        InvalidInput: an input changed while it was read, or mixes so many days that they do not
            fit in memory.
    """
    return _Merge(inputs, max_waiting).pages()


class _Merge:
    def __init__(self, inputs: Sequence[AnswerInput], max_waiting: int) -> None:
        self._inputs = inputs
        self._max_waiting = max_waiting
        self._outstanding: Counter[Scope] = Counter()
        self._holders: defaultdict[Scope, list[Contents]] = defaultdict(list)
        for source in inputs:
            self._outstanding.update(source.contents.answers)
            for scope in {**source.contents.answers, **source.contents.missing}:
                self._holders[scope].append(source.contents)
        self._waiting: defaultdict[Scope, list[GroupAnswer]] = defaultdict(list)
        self._waiting_bytes = 0

    def pages(self) -> Iterator[PricePage]:
        streams = [source.answers() for source in self._inputs]
        left = [_by_day(source.contents.answers) for source in self._inputs]
        for day, scopes in self._days().items():
            without_answer = [scope for scope in scopes if not self._outstanding[scope]]
            for source, stream, owed in zip(self._inputs, streams, left, strict=True):
                while owed[day]:
                    item = next(stream, None)
                    if item is None:
                        raise InvalidInput(f"{source.name}: changed while it was read")
                    scope, answer = item
                    owed[scope.day] -= 1
                    yield from self._take(scope, answer)
                if day in owed and not +owed and next(stream, None) is not None:
                    raise InvalidInput(f"{source.name}: changed while it was read")
            for scope in without_answer:
                yield self._page(scope)  # nothing but reasons why it is missing

    def _days(self) -> Mapping[date, list[Scope]]:
        days: defaultdict[date, list[Scope]] = defaultdict(list)
        for scope in self._holders:
            days[scope.day].append(scope)
        return days

    def _take(self, scope: Scope, answer: GroupAnswer) -> Iterator[PricePage]:
        self._waiting[scope].append(answer)
        self._waiting_bytes += len(answer.body)
        self._outstanding[scope] -= 1
        if not self._outstanding[scope]:
            yield self._page(scope)
        elif self._waiting_bytes > self._max_waiting:
            raise InvalidInput(
                f"{answer.place}: the days are so mixed up that they do not fit in memory;"
                " import the files one by one, or sort their lines by date"
            )

    def _page(self, scope: Scope) -> PricePage:
        answers = self._waiting.pop(scope, [])
        self._waiting_bytes -= sum(len(answer.body) for answer in answers)
        holders = self._holders[scope]
        reasons = [reason for held in holders for reason in held.missing.get(scope, ())]
        if all(scope in held.partial for held in holders):
            groups = sorted({answer.group for answer in answers})
            shown = ", ".join(map(str, groups[:_SHOWN])) + (" ..." if groups[_SHOWN:] else "")
            reasons.append(f"only some groups of category {scope.category} were given ({shown})")
        return price_page(scope, answers, reasons)


def _by_day(answers: Mapping[Scope, int]) -> Counter[date]:
    days: Counter[date] = Counter()
    for scope, count in answers.items():
        days[scope.day] += count
    return days
