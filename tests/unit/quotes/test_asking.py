"""By which ids a vendor is asked: links, claims, and what speaks against them."""

from tcgtracker.database.engine import Database
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import IdKind, VendorInfo
from tcgtracker.quotes.asking import Asking, NoRef, load_asking
from tests.unit.quotes.kit import add_cards, an_info, claim, link, of_tcgplayer, own

PC = an_info(Source.PRICECHARTING)
JT = an_info(Source.JUSTTCG, batch=20, id_kinds=(IdKind.OWN, IdKind.TCGPLAYER))


def asking(database: Database, info: VendorInfo, ids: list[int]) -> Asking:
    with database.read() as connection, database.read() as history:
        return load_asking(connection, history, info, ids)


def test_trusted_and_suspended_links_are_asked_for_and_others_are_not(database: Database):
    ids = add_cards(database, 5)
    states = (
        LinkState.CONFIRMED,
        LinkState.DERIVED,
        LinkState.SUSPENDED,
        LinkState.REJECTED,
        LinkState.UNKNOWN,
    )
    for card_id, state in zip(ids, states, strict=True):
        link(database, Source.PRICECHARTING, {card_id: f"p{card_id}"}, state=state)
    found = asking(database, PC, ids)
    assert found.refs == {card_id: own(f"p{card_id}") for card_id in ids[:3]}
    assert found.without == dict.fromkeys(ids[3:], NoRef.UNTRUSTED)


def test_a_link_of_another_source_is_no_way_to_ask(database: Database):
    ids = add_cards(database, 1)
    link(database, Source.TCGCSV, {ids[0]: "9"})
    assert asking(database, PC, ids).without == {ids[0]: NoRef.NO_PRODUCT}


def test_a_claim_that_one_card_makes_is_asked_for_and_a_shared_one_is_not(database: Database):
    ids = add_cards(database, 3)
    claim(database, Source.PRICECHARTING, [(ids[0], "a"), (ids[1], "b"), (ids[2], "b")])
    found = asking(database, PC, ids)
    assert found.refs == {ids[0]: own("a")}
    assert found.without == dict.fromkeys(ids[1:], NoRef.AMBIGUOUS)
    # The other claimant speaks against it also when it is not among the cards.
    assert asking(database, PC, [ids[1]]).refs == {}


def test_a_link_that_says_otherwise_beats_a_claim(database: Database):
    ids = add_cards(database, 3)
    claim(database, Source.PRICECHARTING, [(ids[0], "a"), (ids[1], "b")])
    link(database, Source.PRICECHARTING, {ids[0]: "a"}, state=LinkState.REJECTED)
    link(database, Source.PRICECHARTING, {ids[2]: "b"})
    found = asking(database, PC, ids)
    assert found.refs == {ids[2]: own("b")}
    assert found.without == {ids[0]: NoRef.UNTRUSTED, ids[1]: NoRef.UNTRUSTED}


def test_tcgplayers_ids_serve_a_vendor_that_takes_them_when_it_has_none_of_its_own(
    database: Database,
):
    ids = add_cards(database, 3)
    for source in (Source.TCGCSV, Source.TCGPLAYER):
        claim(database, source, [(ids[0], "1"), (ids[1], "2"), (ids[2], "3")])
    link(database, Source.JUSTTCG, {ids[0]: "own"})
    link(database, Source.TCGCSV, {ids[2]: "3"}, state=LinkState.REJECTED)
    found = asking(database, JT, ids)
    assert found.refs == {ids[0]: own("own"), ids[1]: of_tcgplayer("2")}
    assert found.without == {ids[2]: NoRef.UNTRUSTED}
    assert asking(database, PC, ids).refs == {}


def test_a_product_whose_printing_is_unproven_at_tcgcsv_still_proves_the_card(database: Database):
    ids = add_cards(database, 1)
    claim(database, Source.TCGCSV, [(ids[0], "1")])
    link(database, Source.TCGCSV, {ids[0]: "1"}, state=LinkState.UNKNOWN, decided_by="")
    assert asking(database, JT, ids).refs == {ids[0]: of_tcgplayer("1")}


def test_a_game_that_the_vendor_does_not_cover_is_not_asked_for(database: Database):
    ids = add_cards(database, 1, game="magic")
    claim(database, Source.TCGCSV, [(ids[0], "1")])
    assert asking(database, JT, ids).without == {ids[0]: NoRef.OTHER_GAME}


def test_special_variants_are_asked_for_only_where_there_is_no_plain_product(database: Database):
    ids = add_cards(database, 2)
    claim(database, Source.PRICECHARTING, [(ids[0], "plain")])
    claim(database, Source.PRICECHARTING, [(ids[0], "stamp"), (ids[1], "jumbo")], variant="jumbo")
    assert asking(database, PC, ids).refs == {ids[0]: own("plain"), ids[1]: own("jumbo")}
