"""What holds for any products and cards."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tcgtracker.catalog.matching.index import CandidateIndex
from tcgtracker.catalog.matching.matcher import MARGIN, TRUSTED, match
from tcgtracker.catalog.matching.values import Candidate, CandidateSet, Product

_SETS = [
    CandidateSet("pokemon", ("Ruby Dunes",), codes=("RD",), total=5),
    CandidateSet("pokemon", ("Ruby Dunes 2",), codes=("R2",), total=7),
    CandidateSet("pokemon", ("Ruby Dunes Trainer Gallery",), codes=("RD:TG",), total=3),
    CandidateSet("pokemon", ("Jade Peaks",), codes=("JP",)),
    CandidateSet("pokemon", ("翡翠の峰",), region="asia"),
    CandidateSet("onepiece", ("BOOSTER PACK -JADE PEAKS- [OP-01]",)),
]
_NAMES = ["Mossling", "Mossling ex", "Mossling (Forest)", "Emberfox", "Emberfoxx", "Nidoran♀"]
_NUMBERS = ["1", "2", "3", "001/005", "TG1", "TG2", "3a", "", "G", "OP01-001"]
_ASIDES = ["", "", " (Parallel)", " [1st Edition]", " (Stamp)", " - 001/005"]

_candidates = st.lists(
    st.builds(
        Candidate,
        st.sampled_from(_SETS),
        st.sampled_from(_NUMBERS),
        st.tuples(st.sampled_from(_NAMES)),
        st.sampled_from(["", "", "p1"]),
    ),
    max_size=25,
    unique=True,
)
_products = st.lists(
    st.builds(
        Product,
        st.sampled_from(["pokemon", "pokemon", "onepiece"]),
        st.builds(str.__add__, st.sampled_from(_NAMES), st.sampled_from(_ASIDES)),
        st.sampled_from(_NUMBERS),
        st.sampled_from(["", "Ruby Dunes", "Ruby Dunes 2", "RD: Jade Peaks", "Other", "翡翠の峰"]),
        st.sampled_from(["", "RD", "X1"]),
        printing=st.sampled_from(["", "Holofoil"]),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(products=_products, candidates=_candidates, random=st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(products, candidates, random) -> None:
    mixed = list(enumerate(products))
    random.shuffle(mixed)
    ours = list(enumerate(candidates))
    random.shuffle(ours)
    straight = match(products, CandidateIndex(candidates))
    shuffled = match([one for _, one in mixed], CandidateIndex([one for _, one in ours]))

    def said(decision, places):
        chosen = decision.chosen
        place = None if chosen is None else places[chosen.candidate]
        return decision.verdict, decision.reason, place, chosen and (chosen.score, chosen.variant)

    expected = {
        place: said(decision, range(len(candidates)))
        for place, decision in enumerate(straight.decisions)
    }
    places = [place for place, _ in ours]
    found = {
        place: said(decision, places)
        for (place, _), decision in zip(mixed, shuffled.decisions, strict=True)
    }
    assert found == expected
    assert straight.aliases == shuffled.aliases
    assert straight == match(products, CandidateIndex(candidates))


@settings(max_examples=150, deadline=None)
@given(products=_products, candidates=_candidates)
def test_links_are_one_to_one_sure_and_of_one_game(products, candidates) -> None:
    decisions = match(products, CandidateIndex(candidates)).decisions
    assert len(decisions) == len(products)
    taken = set()
    for product, decision in zip(products, decisions, strict=True):
        if (chosen := decision.chosen) is None:
            assert decision.reason
            continue
        place = (chosen.candidate, chosen.variant, product.printing)
        assert place not in taken
        taken.add(place)
        assert chosen.score >= TRUSTED
        assert candidates[chosen.candidate].set.game == product.game
        others = [one for one in decision.candidates if one.candidate != chosen.candidate]
        assert all(round(chosen.score - one.score, 4) >= MARGIN for one in others)


@settings(max_examples=100, deadline=None)
@given(products=_products, candidates=_candidates, extra=_products)
def test_a_card_of_an_unsaid_set_is_never_linked(products, candidates, extra) -> None:
    unsaid = [Product(one.game, one.name, one.number, printing=one.printing) for one in products]
    decisions = match([*unsaid, *extra], CandidateIndex(candidates)).decisions
    assert all(one.chosen is None for one in decisions[: len(unsaid)])
