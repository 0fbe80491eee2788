"""Collector numbers as different catalogs print them, and the name of a special product."""

import re

_NUMBER = re.compile(r"([A-Za-z]*)[^0-9A-Za-z]*([0-9]+)(?:-([0-9]+))?")


def numbers_agree(left: str, right: str) -> bool | None:
    """Say whether two printed numbers are of one card, None when they cannot be compared.

    `4/102` agrees with `004`, `TG12/TG30` with `TG12`, `OP02-001` not with `OP02-002`; letters
    count only where both have some.
    """
    first = _NUMBER.match(left.partition("/")[0].strip())
    second = _NUMBER.match(right.partition("/")[0].strip())
    if not first or not second:
        return None
    if int(first[2]) != int(second[2]):
        return False
    if first[3] and second[3] and int(first[3]) != int(second[3]):
        return False
    return not (first[1] and second[1]) or first[1].casefold() == second[1].casefold()


def printing_label(name: str, variant: str) -> str:
    """Return the printing of a product: a stamp or foil pattern is a printing of its own."""
    return f"{name} ({variant})" if variant else name
