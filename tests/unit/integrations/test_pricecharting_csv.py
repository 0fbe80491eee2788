"""PriceCharting's price guide makes one page a category."""

import pytest

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.money import MAX_MINOR
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import parse_variant
from tcgtracker.integrations.contract import ProductText
from tcgtracker.integrations.pricecharting.columns import CARD_VARIANTS
from tests.unit.integrations.builders import a_gzip, rejected_of, values_of
from tests.unit.integrations.guides import (
    LONG_HEADER,
    NEW_COLUMNS,
    SHORT_HEADER,
    a_guide,
    a_product,
)


def test_the_header_has_27_and_37_columns():
    assert (len(SHORT_HEADER), len(LONG_HEADER)) == (27, 37)


def test_each_filled_grade_is_a_row_and_the_rest_of_the_product_is_text(pages_of):
    row = a_product(
        630417, "Charizard [Shadowless] #4", loose="$347.16", cib="$760.39", new="$1290.86",
        graded="$2443.04", box_only="$4300.00", manual_only="$28,272.50 ", bgs_10="$36754.00",
        condition_17="$7137.50", condition_18="$16964", sales_volume="1650", retail_loose_buy="$9",
    )  # fmt: skip

    (page,) = pages_of(a_guide(row))

    market = {key[2:]: values[0] for key, values in values_of(page).items()}
    assert market == {
        ("guide", "raw"): 34716,
        ("guide", "any-7"): 76039,
        ("guide", "any-8"): 129086,
        ("guide", "any-9"): 244304,
        ("guide", "any-9.5"): 430000,
        ("guide", "psa-10"): 2827250,
        ("guide", "bgs-10"): 3675400,
        ("guide", "cgc-10"): 713750,
        ("guide", "sgc-10"): 1696400,
    }
    assert all(values[1:] == (None,) * 4 for values in values_of(page).values())
    assert {(facet.sub_key, facet.language, facet.currency) for facet in page.facets} == {
        ("", "und", "USD")
    }
    assert (page.source, page.scope) == (Source.PRICECHARTING, "pokemon-cards")
    assert page.parts == {"Pokemon Invented Set"}
    assert page.texts == {
        630417: ProductText("Charizard [Shadowless] #4", "Pokemon Invented Set", "4", "", "")
    }
    assert page.missing == ()
    assert page.flags == {}


def test_the_long_header_names_ten_more_grades(pages_of):
    cells = {column: f"${number}.00" for number, column in enumerate(NEW_COLUMNS, 1)}
    row = a_product(1) | cells

    (page,) = pages_of(a_guide(row, header=LONG_HEADER))

    assert {key[3]: values[0] for key, values in values_of(page).items()} == {
        "raw": None,
        "any-1": 100, "any-2": 200, "any-3": 300, "any-4": 400, "any-5": 500, "any-6": 600,
        "cgc-10": 700, "sgc-10": 800, "cgc-10-pristine": 900, "bgs-10-black": 1000,
        "tag-10": 1100, "ace-10": 1200,
    }  # fmt: skip


def test_every_variant_is_one_that_the_program_knows():
    assert [parse_variant(variant) for variant in CARD_VARIANTS.values()] == list(
        CARD_VARIANTS.values()
    )


@pytest.mark.parametrize("header", [SHORT_HEADER[::-1], [*SHORT_HEADER, "shelf"], LONG_HEADER])
@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_order_delimiter_line_end_and_mark_do_not_matter(pages_of, header, delimiter, end, mark):
    row = a_product(5, "Card, with comma #7", loose="$2,200.00 ", cib="")

    content = mark + a_guide(row, header=header, delimiter=delimiter, end=end)

    for content_as_sent in (content, a_gzip(content)):
        (page,) = pages_of(content_as_sent)
        assert values_of(page) == {(5, "", "guide", "raw"): (220000, None, None, None, None)}
        assert page.texts[5].name == "Card, with comma #7"


@pytest.mark.parametrize("nothing", ["", " ", "$0.00", "0"])
def test_a_listed_card_without_a_price_has_its_raw_row_only(pages_of, nothing):
    (page,) = pages_of(a_guide(a_product(5, loose=nothing, cib=nothing)))

    assert values_of(page) == {(5, "", "guide", "raw"): (None,) * 5}
    assert set(page.texts) == {5}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("12,34 €", "not-an-amount"),
        ("12,34", "not-an-amount"),
        ("abc", "not-an-amount"),
        ("NaN", "not-an-amount"),
        ("1e3", "not-an-amount"),
        ("-5.00", "negative-price"),
        ("$-5.00", "negative-price"),
        ("-$5.00", "not-an-amount"),
        ("$21474836.48", "too-large"),
        ("9" * 400, "too-large"),
        ("x" * 5000, "not-an-amount"),
    ],
)
@pytest.mark.parametrize("column", ["loose", "graded"])
def test_a_cell_that_cannot_be_right_is_refused_alone(pages_of, text, reason, column):
    cells = {"loose": "$1.00", "graded": "$3.00", "new": "$2.00"} | {column: text}

    (page,) = pages_of(a_guide(a_product(5, **cells), a_product(6, loose="$4.00")))

    expected = {"raw": 100, "any-8": 200, "any-9": 300}
    del expected["raw" if column == "loose" else "any-9"]
    found = values_of(page)
    assert {key[3]: values[0] for key, values in found.items() if key[0] == 5} == expected
    assert found[(6, "", "guide", "raw")][0] == 400
    assert rejected_of(page) == [("5", reason)]
    assert page.rejected[0].facet is not None
    assert page.rejected[0].facet.variant == ("raw" if column == "loose" else "any-9")
    assert page.rejected[0].raw == f"{column}-price: {text}"[:500]


def test_the_largest_amount_is_kept(pages_of):
    (page,) = pages_of(a_guide(a_product(5, loose="$21,474,836.47")))

    assert values_of(page)[(5, "", "guide", "raw")][0] == MAX_MINOR


@pytest.mark.parametrize(
    ("number", "reason"),
    [("", "missing-field"), ("x1", "bad-product-id"), ("0", "bad-product-id"),
     ("-3", "bad-product-id"), ("1.5", "bad-product-id"), ("9" * 19, "bad-product-id")],
)  # fmt: skip
def test_a_row_without_a_product_id_is_refused(pages_of, number, reason):
    (page,) = pages_of(a_guide(a_product(1), a_product(2) | {"id": number}))

    assert set(page.texts) == {1}
    assert rejected_of(page) == [(number, reason)]
    assert page.rejected[0].facet is None
    assert "Card #1" in page.rejected[0].raw


@pytest.mark.parametrize(
    "broken",
    [
        b"2,Pokemon Invented Set,Card #2,$34\n",
        b"2,Pokemon Invented Set,Card, odd #2,$3.40" + b"," * 23 + b"\n",
        b'2,Pokemon Invented Set,"Card #2,$3.40\n3,Pokemon Invented Set,Card ""x"" #3,"'
        + b"," * 24
        + b"\n",
    ],
)
def test_a_row_whose_cells_may_have_moved_is_refused_and_told(pages_of, broken):
    content = a_guide(a_product(1, loose="$1.00"), end="\n") + broken

    (page,) = pages_of(content)

    assert values_of(page) == {(1, "", "guide", "raw"): (100, None, None, None, None)}
    assert rejected_of(page) == [("2", "broken-row")]
    assert page.missing
    assert page.missing[0].endswith("the row of product 2 is broken")


def test_a_ladder_that_falls_is_flagged_once_a_product(pages_of):
    falls = a_product(1, loose="$5.00", cib="$4.00", new="$6.00", graded="$1.00")
    rises = a_product(2, loose="$5.00", new="$5.00", manual_only="$9.00", bgs_10="$1.00")
    gap = a_product(3, loose="$5.00", manual_only="$4.99")
    unpriced = a_product(4)

    (page,) = pages_of(a_guide(falls, rises, gap, unpriced))

    assert page.flags == {"ladder-not-rising": 2}
    assert page.rejected == []


BOXES = [
    {"genre": "Sealed Product"},
    {"genre": "Board & Card"},
    {"genre": "Action"},
    {"genre": "", "product-name": "Booster Box"},
    {"genre": "", "console-name": "Nintendo 64", "product-name": "Game #1"},
]


@pytest.mark.parametrize("kind", BOXES)
def test_what_is_no_single_card_has_the_boxed_meaning(pages_of, kind):
    row = a_product(1, loose="$10.00", cib="$20.00", new="$30.02", graded="$99.00") | kind

    (page,) = pages_of(a_guide(row))

    assert values_of(page) == {(1, "", "boxed", "sealed"): (2000, 1000, 3002, 2001, None)}
    assert page.flags == {}


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ({"loose": "$1.00", "new": "$3.00"}, (None, 100, 300, None, None)),
        ({"loose": "$0.01", "cib": "$0.01", "new": "$0.02"}, (1, 1, 2, 1, None)),
        ({"loose": "$0.01", "cib": "$0.02", "new": "$0.02"}, (2, 1, 2, 2, None)),
        ({"cib": "$0.00"}, (None,) * 5),
        ({}, (None,) * 5),
    ],
)
def test_a_box_has_a_mean_of_three_prices_only(pages_of, cells, values):
    (page,) = pages_of(a_guide(a_product(1, **cells) | {"genre": "Sealed Product"}))

    assert values_of(page) == {(1, "", "boxed", "sealed"): values}


def test_a_box_with_a_wrong_price_is_refused_whole(pages_of):
    row = a_product(1, loose="$1.00", cib="1,5 €", new="$3.00") | {"genre": "Sealed Product"}

    (page,) = pages_of(a_guide(row, a_product(2)))

    assert rejected_of(page) == [("1", "not-an-amount")]
    assert {key[0] for key in values_of(page)} == {2}


CONSOLES = {
    "Pokemon Base Set": "pokemon-cards",
    "Pokemon Japanese Set": "pokemon-cards",
    "Magic Alpha": "magic-cards",
    "YuGiOh Something": "yugioh-cards",
    "One Piece Romance Dawn": "one-piece-cards",
    "Lorcana First Chapter": "lorcana-cards",
    "Disney Lorcana First Chapter": "lorcana-cards",
    "Baseball Cards 2025 Topps": "baseball-cards",
    "Hockey Cards 1990 Pro": "hockey-cards",
    "Nintendo 64": "other",
    "Pokemons": "other",
    "Funko Pop Pokemon": "other",
}


def test_each_category_is_a_page_of_its_own(pages_of):
    rows = [
        a_product(number) | {"console-name": console} for number, console in enumerate(CONSOLES, 1)
    ]

    pages = pages_of(a_guide(*rows))

    assert [page.scope for page in pages] == list(dict.fromkeys(CONSOLES.values()))
    assert {part: page.scope for page in pages for part in page.parts} == CONSOLES
    assert sum(len(page.texts) for page in pages) == len(rows)


def test_a_given_category_is_the_scope_of_all_rows(pages_of):
    rows = [a_product(1), a_product(2) | {"console-name": "Topps Chrome Pokemon", "genre": ""}]

    (page,) = pages_of(a_guide(*rows), category="pokemon-cards")

    assert page.scope == "pokemon-cards"
    assert {key[2:] for key in values_of(page)} == {("guide", "raw")}


def test_the_guide_of_all_products_is_not_taken_for_the_category(pages_of):
    games = [a_product(n) | {"console-name": "3DO", "genre": "Action"} for n in range(1, 4)]

    with pytest.raises(InvalidInput, match="most of its rows are not of the category"):
        pages_of(a_guide(*games, a_product(9)), category="pokemon-cards")


def test_sports_cards_without_a_genre_are_cards_by_their_number(pages_of):
    sports = {"console-name": "Baseball Cards 2025 Topps", "genre": ""}
    card = a_product(1, "Player 0001 [Aqua] #T-99", loose="$1.00") | sports
    box = a_product(2, "Hobby Box", loose="$216.25") | sports

    (page,) = pages_of(a_guide(card, box))

    assert {key[0]: key[2] for key in values_of(page)} == {1: "guide", 2: "boxed"}
    assert [text.number for text in page.texts.values()] == ["T-99", ""]


def test_the_number_of_one_piece_has_no_hash(pages_of):
    row = a_product(1, "Monkey.D.Luffy [Alternate Art] OP02-001")

    (page,) = pages_of(a_guide(row | {"console-name": "One Piece Paramount War", "genre": ""}))

    assert page.texts[1].number == "OP02-001"
    assert (1, "", "guide", "raw") in values_of(page)


def test_comics_mean_other_things_and_are_counted(pages_of):
    row = a_product(1, "Hero #300", loose="$9.00")

    (page,) = pages_of(a_guide(row | {"console-name": "Comic Books Hero", "genre": ""}))

    assert (values_of(page), page.skipped) == ({}, {"comic-book": 1})


def test_equal_rows_are_one_and_contradicting_ones_refused(pages_of):
    same = a_product(1, loose="$1.00")

    (page,) = pages_of(a_guide(same, same, a_product(2, loose="$1.00"), a_product(2, loose="$2")))

    assert {key[0] for key in values_of(page)} == {1}
    assert page.skipped == {"duplicate": 1}
    assert rejected_of(page) == [("2", "conflicting-duplicate")] * 2


def test_text_is_kept_on_one_line_and_bounded(pages_of):
    row = a_product(1, "A\x00B\x1b[31m #1" + "x" * 1000)

    (page,) = pages_of(a_guide(row))

    assert page.texts[1].name.startswith("A B [31m #1xxx")
    assert len(page.texts[1].name) == 300


def test_text_that_is_not_utf_8_is_flagged_and_its_price_kept(pages_of):
    content = a_guide(a_product(1, "Pok\u00e9mon #1", loose="$1.00"))

    (page,) = pages_of(content.replace("\u00e9".encode(), b"\xe9"))

    assert page.flags == {"text-not-utf-8": 1}
    assert page.texts[1].name == "Pok\ufffdmon #1"
    assert values_of(page)[(1, "", "guide", "raw")][0] == 100
