"""The `groups` file of a category: which price files there are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tcgtracker.integrations.catalog_records import BadRow, clean_text, positive_id
from tcgtracker.integrations.tcgcsv.payloads import Envelope


@dataclass(slots=True)
class GroupList:
    """Names by group id, in the file's order.

    incomplete: why there may be more groups than these, '' when there are not.
    """

    rows: list[object]
    names: dict[int, str] = field(default_factory=dict)
    incomplete: str = ""


def group_list(envelope: Envelope, category: int) -> GroupList:
    """Return the groups of a category; a row that names none makes the list incomplete."""
    groups, faults = GroupList(envelope.results), []
    for row in envelope.results:
        try:
            identifier, name = _group(row, category)
        except BadRow as exc:
            faults.append(str(exc))
        else:
            groups.names.setdefault(identifier, name)
    if not groups.names:
        faults.append("it lists none")
    if lack := unlisted(envelope):
        faults.append(lack)
    if faults:
        groups.incomplete = f"groups of category {category}: {'; '.join(dict.fromkeys(faults))}"
    return groups


def unlisted(envelope: Envelope) -> str:
    """Return in which way a file has fewer rows than it says, '' when it has not."""
    rows, total = len(envelope.results), envelope.total_items
    return f"says {total} and has {rows}" if total is not None and rows < total else ""


def _group(row: object, category: int) -> tuple[int, str]:
    if not isinstance(row, Mapping):
        raise BadRow("a row is no object")
    if positive_id(row.get("categoryId"), "categoryId") != category:
        raise BadRow("a group of another category")
    return positive_id(row.get("groupId"), "groupId"), clean_text(row.get("name"), "name")
