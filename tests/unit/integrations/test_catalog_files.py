"""What a catalog file holds is told from its content, and nothing odd gets through."""

import gzip
import json
from pathlib import Path

import pytest

from tcgtracker.domain.catalog import ProductType
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations import catalog_files
from tcgtracker.integrations.catalog_files import FileKind, open_catalog_file
from tests.unit.catalog.builders import a_card, a_product, a_set, a_variant, envelope, lines

PRICES_CSV = (
    "name,productId,subTypeName,categoryId,groupId,extRarity,extText,cleanName,url,extNumber\r\n"
    '"Bill, ""the"" one",7,Normal,3,604,Common,"Draw 2.\r\nThen <b>stop</b>",Bill,x,91/102\r\n'
    '"Bill, ""the"" one",7,1st Edition,3,604,Common,"Draw 2.\r\nThen <b>stop</b>",Bill,x,91/102\r\n'
    "Booster Box,8,,3,604,,,Booster Box,x,\r\n"
)


def test_products_of_the_vendors_answer(tmp_path: Path) -> None:
    file = open_catalog_file(envelope(tmp_path / "products", [a_product(), a_product(9, None)]))
    single, sealed = file.cards()
    assert file.kind is FileKind.PRODUCTS
    assert (single.key, single.set.code, single.collector_number) == (
        "tcgplayer:42444",
        "tcgplayer:605",
        "001/130",
    )
    assert (sealed.product_type, sealed.collector_number) == (ProductType.SEALED, "9")


def test_a_product_with_rarity_alone_is_a_single(tmp_path: Path) -> None:
    file = open_catalog_file(lines(tmp_path / "p", [a_product(9, None, rarity="Promo")]))
    assert [card.product_type for card in file.cards()] == [ProductType.SINGLE]


def test_rows_of_the_joined_csv_become_one_product_with_its_printings(tmp_path: Path) -> None:
    path = tmp_path / "ProductsAndPrices.csv"
    path.write_bytes(b"\xef\xbb\xbf" + PRICES_CSV.encode())
    file = open_catalog_file(path)
    bill, box = file.cards()
    assert (bill.name, bill.collector_number, bill.printings) == (
        'Bill, "the" one',
        "91/102",
        ("Normal", "1st Edition"),
    )
    assert (box.product_type, box.printings) == (ProductType.SEALED, ())
    assert file.counts.read == 3


def test_groups_as_csv_and_json(tmp_path: Path) -> None:
    path = tmp_path / "Groups.csv"
    path.write_text("name,groupId,categoryId,publishedOn\nBase,604,85,1999-01-09T00:00:00\n")
    answer = envelope(
        tmp_path / "groups", [{"groupId": 604, "name": "Base", "categoryId": 16, "publishedOn": ""}]
    )
    (japan,) = open_catalog_file(path).sets()
    (other,) = open_catalog_file(answer).sets()
    assert (japan.game.slug, japan.region, str(japan.release_date)) == (
        "pokemon",
        "asia",
        "1999-01-09",
    )
    assert (other.game.slug, other.region, other.release_date) == ("tcgplayer-16", "", None)


def test_tcgdex_variants_become_printings_only_when_certain(tmp_path: Path) -> None:
    card = a_card(
        variants=[
            a_variant(1, "holo", subtype="unlimited"),
            a_variant(1, "holo", stamp=["1st Edition"]),
            a_variant(2, "reverse", foil="pokeball"),
            a_variant(3, "lenticular"),
        ],
        thirdParty={"tcgplayer": 4},
    )
    file = open_catalog_file(lines(tmp_path / "c.gz", [card]))
    (record,) = file.cards()
    assert record.printings == ("Unlimited Holofoil", "1st Edition Holofoil")
    assert {(p.external_id, p.printing, p.variant) for p in record.products} == {
        ("1", "", ""),
        ("2", "", "pokeball"),
        ("3", "", ""),
        ("4", "", ""),
    }
    assert file.counts.skipped == {
        "variant beside the plain card: pokeball": 1,
        "variant whose printing is not certain": 1,
    }


def test_the_plain_card_beside_a_first_edition_is_not_named(tmp_path: Path) -> None:
    card = a_card(variants=[a_variant(1, "normal"), a_variant(1, "normal", stamp=["1st-edition"])])
    (record,) = open_catalog_file(lines(tmp_path / "c", [card])).cards()
    assert record.printings == ("1st Edition",)


@pytest.mark.parametrize(
    ("flags", "printings"),
    [
        ({"normal": True, "reverse": True, "holo": False}, ("Normal", "Reverse Holofoil")),
        ({"normal": True, "firstEdition": True}, ()),
        ({"normal": False, "holo": False}, ()),
    ],
)
def test_the_older_shape_of_variants(
    tmp_path: Path, flags: dict[str, bool], printings: tuple[str, ...]
) -> None:
    (record,) = open_catalog_file(lines(tmp_path / "c", [a_card(variants=flags)])).cards()
    assert record.printings == printings


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ({"fr": "Évoli", "ja": "イーブイ", "en": "Eevee"}, "Eevee"),
        ({"zh-tw": "伊布", "ja": "イーブイ"}, "イーブイ"),
        ({"th": "อีวุย"}, "อีวุย"),
    ],
)
def test_a_name_is_english_else_japanese_else_the_first(
    tmp_path: Path, names: dict[str, str], name: str
) -> None:
    (record,) = open_catalog_file(lines(tmp_path / "c", [{**a_card(), "name": names}])).cards()
    assert record.name == name


def test_one_piece_art_is_split_from_the_number(tmp_path: Path) -> None:
    rows = [
        {
            "id": "OP01-001_p1",
            "pack_id": "569001",
            "name": 'Eustass"Captain"Kid',
            "rarity": "Leader",
        },
        {"id": "P-041", "pack_id": "550002", "name": "ヨサク&amp;ジョニー", "rarity": "Promo"},
        {"id": "OP01-002_", "pack_id": "569001", "name": "x", "rarity": ""},
    ]
    file = open_catalog_file(lines(tmp_path / "c", rows))
    first, second = file.cards()
    assert (first.collector_number, first.art, first.set.code, first.name) == (
        "OP01-001",
        "p1",
        "onepiece:en:569001",
        'Eustass"Captain"Kid',
    )
    assert (second.art, second.set.code, second.set.region, second.name) == (
        "",
        "onepiece:ja:550002",
        "asia",
        "ヨサク&amp;ジョニー",
    )
    assert file.counts.bad == {"id is not a number with an art suffix": 1}


def test_packs_are_an_object_of_objects(tmp_path: Path) -> None:
    path = tmp_path / "packs.json.gz"
    pack = {"id": "569001", "raw_title": "STARTER DECK", "title_parts": {"prefix": None}}
    path.write_bytes(gzip.compress(json.dumps({"569001": pack}).encode()))
    (record,) = open_catalog_file(path).sets()
    assert (record.code, record.name) == ("onepiece:en:569001", "STARTER DECK")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": {"en": "a\0b"}}, "name holds a NUL character"),
        ({"name": {"en": "x" * 501}}, "name is longer than 500 characters"),
        ({"name": {}}, "name is missing"),
        ({"name": {"en": 7}}, "name is no text"),
        ({"localId": None}, "localId is missing"),
        ({"region": "mars"}, "region is neither international nor asia"),
        ({"variants": 3}, "variants is neither a list nor an object"),
        ({"thirdParty": {"tcgplayer": "x"}}, "thirdParty.tcgplayer is no positive integer"),
        ({"thirdParty": []}, "thirdParty is no object"),
    ],
)
def test_a_bad_row_is_counted_with_its_reason(
    tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    file = open_catalog_file(lines(tmp_path / "c", [a_card("1"), {**a_card("2"), **change}]))
    assert [card.collector_number for card in file.cards()] == ["1"]
    assert file.counts.bad == {reason: 1}
    assert file.counts.examples[0].startswith(f"line 2: {reason}: ")


def test_lines_that_are_no_json_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "c"
    good = json.dumps(a_card())
    path.write_bytes(f'{good}\n{good[:40]}\n[1]\n"x"\n'.encode() + b'{"name": "\xff"}\n')
    file = open_catalog_file(path)
    assert len(list(file.cards())) == 1
    assert file.counts.bad == {"no JSON object": 4}


def test_a_cut_off_gzip_is_refused_by_name(tmp_path: Path) -> None:
    whole = lines(tmp_path / "whole.gz", [a_card(str(n)) for n in range(500)]).read_bytes()
    path = tmp_path / "cut.ndjson.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match=r"cut\.ndjson\.gz: the gzip is cut off or damaged"):
        list(open_catalog_file(path).cards())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"<!doctype html><html>Forbidden</html>", "is a web page"),
        (b"\n  <?xml version='1.0'?>", "is a web page"),
        (b"productId,name\n1,x\n", r"lacks the column\(s\) categoryId, groupId"),
        (b"groupId,name\n1,x\n", r"lacks the column\(s\) categoryId"),
        (b"a,b\n1,2\n", "is no catalog file"),
        (b"\xff\xfe\x00", "is no text"),
        (b'{"a": 1}', "is no catalog file"),
        (
            b'{"success": false, "errors": ["No products were found."], "results": []}',
            "without succ",
        ),
        (b'{"success": true,\n "results": [{"productId": 1', "not valid JSON"),
        (b'{"success": true, "results": [{"productId": 1, "subTypeName": "Normal"}]}', "prices"),
        (b"[1, 2]", "is no catalog file"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "given.file"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=rf"given\.file .*{message}"):
        open_catalog_file(path)


def test_a_csv_that_ends_inside_a_quote_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv"
    path.write_text('productId,name,groupId,categoryId\n1,"Bill')
    with pytest.raises(InvalidInput, match=r"cut\.csv: .*cut off or damaged"):
        list(open_catalog_file(path).cards())


def test_an_endless_cell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "endless.csv"
    path.write_text('productId,name,groupId,categoryId\n1,"' + "x\n" * 200_000)
    with pytest.raises(InvalidInput, match=r"endless\.csv: field larger than field limit"):
        list(open_catalog_file(path).cards())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.csv cannot be read"):
        open_catalog_file(tmp_path / "nowhere.csv")


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_files, "MAX_LINE", 1_000)
    path = lines(tmp_path / "long.gz", [a_card(), a_card("2", "x" * 2_000)])
    with pytest.raises(InvalidInput, match=r"long\.gz has a line of more than 1000 bytes"):
        list(open_catalog_file(path).cards())


def test_an_answer_without_rows_is_an_empty_catalog(tmp_path: Path) -> None:
    file = open_catalog_file(envelope(tmp_path / "products", []))
    assert (file.kind, list(file.cards()), list(file.sets())) == (FileKind.EMPTY, [], [])


def test_sets_carry_their_names_at_other_vendors(tmp_path: Path) -> None:
    row = a_set(thirdParty={"tcgplayer": 605, "cardmarket": 1523}, releaseDate={"ja": "2000-01-02"})
    (record,) = open_catalog_file(lines(tmp_path / "s", [row])).sets()
    assert record.aliases == ("tcgplayer:605", "cardmarket:1523")
    assert (str(record.release_date), record.total_cards) == ("2000-01-02", 130)
