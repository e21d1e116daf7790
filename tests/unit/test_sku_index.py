"""Which item a listing is: what decides, what is told, and that nothing odd breaks it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.sku.gtin import check_digit
from canonical.sku.index import ItemIndex
from canonical.sku.likeness import AUTOMATIC
from canonical.sku.models import Item, Listing, Suggestion
from tests.bench.sku_made import item_of, listing_of, made_products

PRODUCTS = made_products(60)
ITEMS = [item_of(product) for product in PRODUCTS]
EAN = "4006381333931"
TITLES = st.text(max_size=40) | st.sampled_from([listing_of(product).title for product in PRODUCTS])
ITEM_LISTS = st.lists(
    st.builds(
        Item,
        itno=st.text(min_size=1, max_size=6),
        name=TITLES,
        description=TITLES,
        gtins=st.lists(st.sampled_from((EAN, "036000291452", "4006381333932")), max_size=2).map(tuple),
        aliases=st.lists(st.sampled_from(("A-1", "a1", "B-2", "")), max_size=2).map(tuple),
        past=st.lists(st.sampled_from(("A-1", "C")), max_size=1).map(tuple),
    ),
    max_size=8,
    unique_by=lambda item: item.itno,
)
LISTINGS = st.builds(
    Listing,
    sku=st.sampled_from(("", "A-1", "C", "X-100000-Y")) | st.text(max_size=10),
    gtins=st.lists(st.sampled_from((EAN, "4006381333932", "nonsense")), max_size=2).map(tuple),
    title=TITLES,
    brand=st.sampled_from(("", "Sony")) | st.text(max_size=8),
)


def _best(items: list[Item], **known: object) -> Suggestion:
    return ItemIndex(items).suggest(Listing.model_validate(known)).ranked[0]


# --- whatever comes in ---------------------------------------------------------------------------


@settings(deadline=None)
@given(ITEM_LISTS, LISTINGS, st.randoms(use_true_random=False))
def test_the_order_of_the_catalogue_changes_nothing(
    items: list[Item], listing: Listing, chance: random.Random
) -> None:
    mixed = items.copy()
    chance.shuffle(mixed)
    one, other = ItemIndex(items), ItemIndex(mixed)
    assert one.suggest(listing) == other.suggest(listing) == one.suggest(listing)
    assert one.notes == other.notes


@settings(deadline=None)
@given(ITEM_LISTS, st.lists(LISTINGS, max_size=4))
def test_scores_and_confidence_are_shares_and_the_best_is_first(
    items: list[Item], listings: list[Listing]
) -> None:
    index = ItemIndex(items)
    for found in (*index.suggest_all(listings), *map(index.suggest, listings)):
        scores = [one.score for one in found.ranked]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < one.score <= 1 and 0 <= one.confidence <= 1 and one.reasons for one in found.ranked)
        assert len({one.itno for one in found.ranked}) == len(found.ranked) <= 5


@settings(deadline=None)
@given(LISTINGS, ITEM_LISTS)
def test_an_ean_outdoes_every_name(listing: Listing, items: list[Item]) -> None:
    own = Item(itno="THE-ONE", gtins=(EAN,), name="Something quite different")
    others = [item.model_copy(update={"gtins": (), "aliases": (), "past": ()}) for item in items]
    asked = listing.model_copy(update={"gtins": (EAN,), "sku": ""})
    same_name = Item(itno="THE-NAME", name=listing.title or "x")
    assert ItemIndex([*others, own, same_name]).suggest(asked).ranked[0].itno == "THE-ONE"


@settings(deadline=None)
@given(st.integers(10**11, 10**12 - 1), st.integers(1, 9))
def test_a_wrong_check_digit_never_counts(digits: int, off: int) -> None:
    right = check_digit(f"4{digits}")
    wrong = f"4{digits}{(int(right) + off) % 10}"
    index = ItemIndex([Item(itno="A", name="Kettle", gtins=(wrong,)), Item(itno="B", name="Toaster")])
    found = index.suggest(Listing(title="Toaster", gtins=(wrong,)))
    assert [one.itno for one in found.ranked] == ["B"]
    assert "EAN" in index.notes[0]
    assert "check digit" in index.notes[0]
    assert wrong in found.notes[0]


# --- what decides --------------------------------------------------------------------------------


def test_the_same_ean_is_said_and_is_enough() -> None:
    items = [*ITEMS, Item(itno="PEN", name="STABILO POINT 88", gtins=(EAN,))]
    best = _best(items, title="Fineliner, black", gtins=(EAN,))
    assert best.itno == "PEN"
    assert best.reasons[0] == f"same EAN {EAN}"
    assert best.confidence >= AUTOMATIC


def test_upc_and_ean_are_one_number() -> None:
    assert (
        _best([*ITEMS, Item(itno="SOAP", gtins=("036000291452",))], gtins=("0036000291452",)).itno == "SOAP"
    )


def test_an_alias_outdoes_an_ean_and_then_a_person_decides() -> None:
    items = [Item(itno="A", name="Kettle", aliases=("SKU-1",)), Item(itno="B", name="Toaster", gtins=(EAN,))]
    found = ItemIndex(items).suggest(Listing(sku="sku 1", gtins=(EAN,)))
    assert [one.itno for one in found.ranked] == ["A", "B"]
    assert found.certain(AUTOMATIC) is None
    assert found.notes == ("Its numbers speak for different items, so a person decides.",)


def test_an_ean_against_a_sure_name_asks() -> None:
    sony, other = "Sony Belt Drive Turntable PS-LX350H Black", Item(itno="B", name="Tea", gtins=(EAN,))
    items = [*ITEMS, Item(itno="A", name=sony), other]
    found = ItemIndex(items).suggest(Listing(title=sony, gtins=(EAN,)))
    assert [one.itno for one in found.ranked[:2]] == ["B", "A"]
    assert found.certain(AUTOMATIC) is None


def test_another_ean_is_told_and_asks() -> None:
    title = "Sony Belt Drive Turntable PS-LX350H Black"
    items = [*ITEMS, Item(itno="A", name=title, gtins=("036000291452",))]
    best = _best(items, title=title, gtins=(EAN,))
    assert best.itno == "A"
    assert "but its EAN is another" in best.reasons
    assert best.confidence < 0.5


def test_an_alias_or_ean_of_two_items_decides_nothing() -> None:
    items = [
        Item(itno="A", name="Kettle", aliases=("SKU-1",), gtins=(EAN,)),
        Item(itno="B", name="Toaster", aliases=("sku1",), gtins=(EAN,)),
        Item(itno="C", name="Toaster"),
    ]
    index = ItemIndex(items)
    assert index.notes == (
        "Alias SKU-1 belongs to 2 items: A, B.",
        f"EAN {EAN} belongs to 2 items: A, B.",
    )
    found = index.suggest(Listing(sku="SKU-1", title="Toaster"))
    assert [one.itno for one in found.ranked] == ["B", "A", "C"]
    assert found.certain(0.6) is None
    assert "A, B" in found.notes[0]


def test_what_was_an_alias_once_is_suggested_and_asked() -> None:
    best = _best([*ITEMS, Item(itno="A", name="Kettle", past=("B0ABCDEFGH",))], asin="B0ABCDEFGH")
    assert best.itno == "A"
    assert best.reasons[0] == "ASIN B0ABCDEFGH has been mapped to it before"
    assert best.confidence < AUTOMATIC


def test_a_sku_that_has_the_item_number_in_it() -> None:
    items = [Item(itno=f"TK{number}", name="Green tea") for number in range(48201, 48261)]
    best = _best(items, sku="AMZ-TK48217-FBA", title="Green tea")
    assert best.itno == "TK48217"
    assert "SKU AMZ-TK48217-FBA has its number in it" in best.reasons


@pytest.mark.parametrize("written", ["KDL-40V4100", "KDL40V4100", "KDL 40V4100"])
def test_a_model_number_however_it_is_written(written: str) -> None:
    names = ("SONY TV KDL40V4100", "SONY TV KDL46V4100", "SONY TV KDL40W4100", "SONY TV KDL40V4000")
    items = [Item(itno=str(number), name=name) for number, name in enumerate(names)]
    best = _best(items, title=f"Sony BRAVIA {written} 40-Inch LCD HDTV")
    assert best.itno == "0"
    assert "model number KDL40V4100 is in both names" in best.reasons


def test_the_size_decides_between_two_of_a_kind() -> None:
    items = [Item(itno="A", name="Frying pan 24 cm steel"), Item(itno="B", name="Frying pan 28 cm steel")]
    found = ItemIndex(items).suggest(Listing(title="Steel Frying Pan for Induction 28cm"))
    assert [one.itno for one in found.ranked] == ["B", "A"]
    assert "28 cm in both names" in found.ranked[0].reasons
    assert "but not 28 cm" in found.ranked[1].reasons


def test_the_brand_apart_from_the_title_and_m3s_description_count() -> None:
    items = [
        Item(itno="A", name="Kettle 1L", description="Bosch kettle steel"),
        Item(itno="B", name="Kettle 1L", description="Braun kettle steel"),
    ]
    assert _best(items, title="Electric Kettle 1 l", brand="Braun").itno == "B"


def test_listings_compete_but_not_with_their_like() -> None:
    items = [Item(itno="B", name="Coffee maker DC50B black"), Item(itno="X", name="Drip coffee maker")]
    index = ItemIndex(items)
    black, white = Listing(title="Coffee Maker DC50B Black"), Listing(title="Coffee Maker DC50W")
    assert [found.ranked[0].itno for found in index.suggest_all([black, white])] == ["B", "X"]
    again = index.suggest_all([black, black])
    assert [found.ranked[0] for found in again] == [index.suggest(black).ranked[0]] * 2
    taken = index.suggest_all([black, white])[1].ranked
    assert "but another listing fits it better" in next(one for one in taken if one.itno == "B").reasons


def test_made_up_listings_find_their_items() -> None:
    products = made_products(1500)
    index = ItemIndex(map(item_of, products))
    asked = products[::10]
    found = index.suggest_all([listing_of(product) for product in asked])
    right = [item_of(product).itno for product in asked]
    first = sum(one.ranked[0].itno == itno for one, itno in zip(found, right, strict=True))
    assert first >= 0.8 * len(asked)
    sure = [(one, itno) for one, itno in zip(found, right, strict=True) if one.certain(AUTOMATIC)]
    assert sum(one.ranked[0].itno != itno for one, itno in sure) <= 0.02 * len(sure)


# --- nothing, and nonsense -----------------------------------------------------------------------


def test_an_empty_catalogue_suggests_nothing() -> None:
    index = ItemIndex([])
    assert index.suggest(Listing(title="Tea", gtins=(EAN,))).ranked == ()
    assert index.suggest_all([]) == []


def test_nothing_known_suggests_nothing() -> None:
    assert ItemIndex(ITEMS).suggest(Listing()).ranked == ()


def test_an_item_number_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Item A is there twice\."):
        ItemIndex([Item(itno="A"), Item(itno="A", name="Tea")])
