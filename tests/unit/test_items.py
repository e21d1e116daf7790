"""Which M3 item a SellerSKU is, and which it may be."""

import csv
from pathlib import Path

import pytest

from canonical.items import itno_of, rank_candidates
from canonical.profile import ItemRule
from canonical.sku.index import ItemIndex
from canonical.sku.models import Item, Listing
from simulators.assortment import ITEM_BY_SKU, ITEMS, TROUBLE

CATALOGUE = [Item(itno=item.itno, name=item.itds) for item in ITEMS]
RULES = (ItemRule(pattern=r"FBA-(\d+)-.*", itno=r"\1"), ItemRule(pattern=r"(\w{3})-(\w+)", itno=r"\2\1"))


@pytest.mark.parametrize(
    ("sku", "alias", "itno"),
    [
        ("FBA-100-DE", None, "100"),
        ("FBA-100-DE", "ALIAS", "ALIAS"),
        ("TEA-MINT", None, "MINTTEA"),
        ("X FBA-100-DE", None, None),
        ("UNKNOWN", None, None),
    ],
)
def test_alias_then_rules_then_nobody(sku: str, alias: str | None, itno: str | None) -> None:
    assert itno_of(sku, alias, RULES) == itno


def test_the_likeliest_item_comes_first() -> None:
    unmapped = [sku for sku, reason in TROUBLE.items() if reason == "unmapped_sku"]
    for sku in unmapped:
        item = ITEM_BY_SKU[sku]
        ranked = rank_candidates(Listing(sku=sku, title=item.title), CATALOGUE)
        assert ranked[0].itno == item.itno
        assert len(ranked) == 5
        assert [each.score for each in ranked] == sorted((each.score for each in ranked), reverse=True)


def test_every_item_is_found_by_its_title() -> None:
    for item in ITEMS:
        assert rank_candidates(Listing(sku=item.sku, title=item.title), CATALOGUE)[0].itno == item.itno


def test_a_sku_that_is_the_item_number_but_for_punctuation_is_certain() -> None:
    items = [Item(itno="100TEA-A", name="Tea"), Item(itno="100TEA-B", name="Tea")]
    [best, *_] = rank_candidates(Listing(sku="100-tea.a"), items)
    assert best.itno == "100TEA-A"
    assert best.score >= 90
    assert best.reasons[0] == "SKU 100-tea.a is its item number"


def test_the_order_is_the_same_whatever_the_order_of_the_items() -> None:
    listing = Listing(sku="TEA-X", title="Green tea")
    assert rank_candidates(listing, CATALOGUE) == rank_candidates(listing, CATALOGUE[::-1])


def test_nothing_to_choose_from() -> None:
    assert rank_candidates(Listing(sku="SKU", title="Title"), []) == ()


def test_real_product_titles_find_their_counterpart(shared: Path) -> None:
    """Two shops' names of the same products (Abt and Buy): nearly always among the five."""
    folder = shared / "sku-matching"
    names = {}
    for shop in ("abt", "buy"):
        with (folder / f"{shop}.csv").open(encoding="cp1252") as file:
            names[shop] = {row["id"]: row["name"] for row in csv.DictReader(file)}
    with (folder / "abt_buy_perfect_mapping.csv").open(encoding="utf-8") as file:
        pairs = [(row["idAbt"], row["idBuy"]) for row in csv.DictReader(file)][::10]
    index = ItemIndex(Item(itno=itno, name=name) for itno, name in names["buy"].items())
    ranked = [
        ([one.itno for one in index.suggest(Listing(title=names["abt"][left])).ranked], right)
        for left, right in pairs
    ]
    assert sum(right in itnos for itnos, right in ranked) >= 0.95 * len(pairs)
    assert sum(right == itnos[0] for itnos, right in ranked) >= 0.9 * len(pairs)
