"""SKUs without item put together: which of them are looked at, of which Amazon is asked, what counts as certain."""

from datetime import UTC, datetime

import pytest

from canonical.sku.contracts import MapSkuInput, sku_workflow_id
from canonical.sku.item_file import Alias, CatalogueItem, packed, unpacked
from canonical.sku.look_contracts import GatherRequest, OpenSku, SkuEntry, SkuReport
from canonical.sku.models import Suggestion
from canonical.sku.open_skus import gathered, wanted
from canonical.stock.listings import Listing

GERMANY, FRANCE = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
SKUS, OTHERS = ("2", "AMZN"), ("2", "AMUS")


def request(*held: OpenSku, complete: bool = True) -> GatherRequest:
    return GatherRequest(seller_id="S", taken=NOW, items_key="items/x", held=held, complete=complete)


def listing(sku: str, **more: object) -> Listing:
    return Listing.model_validate({"sku": sku, "channel": "MFN", **more})


def test_an_item_s_aliases_say_what_they_are() -> None:
    item = CatalogueItem(
        itno="10023",
        aliases=(
            Alias(name="BLUE-MUG", alwt="2", alwq="AMZN"),
            Alias(name="4006381333931", alwt="2", alwq="AMZN"),
            Alias(name="4012345678901", alwt="1", alwq="EA13"),
            Alias(name="4012345678902", alwt="1", alwq="EA13", past=True),
            Alias(name="OLD-MUG", alwt="2", alwq="AMZN", past=True),
            Alias(name="BLUE-MUG", alwt="2", alwq="AMZN", past=True),
            Alias(name="US-MUG", alwt="2", alwq="AMUS"),
            Alias(name="SUPPLIER-7", alwt="3"),
        ),
    )
    seen = item.as_item({SKUS}, {OTHERS})
    assert seen.aliases == ("BLUE-MUG", "4006381333931", "SUPPLIER-7")
    assert seen.gtins == ("4012345678901",)
    assert seen.past == ("OLD-MUG",)


def test_parts_of_the_items_put_together_are_a_file() -> None:
    items = [CatalogueItem(itno=str(number), name="Tee ☕", status="20") for number in range(5)]
    assert list(unpacked(packed(items[:2]) + packed(items[2:]))) == items


def test_skus_with_held_orders_come_first_and_mapped_ones_not_at_all() -> None:
    held = OpenSku(sku="HELD", orders=3, marketplaces=("Amazon.fr",), title="From the order")
    listings = [
        (GERMANY, listing("HELD", title="From the listing", asin="B1", ean="4006381333931")),
        (GERMANY, listing("OPEN", title="Tea")),
        (FRANCE, listing("OPEN", title="Thé")),
        (GERMANY, listing("KNOWN", itno="1", by="alias")),
        (GERMANY, listing("SINCE")),
        (GERMANY, listing("")),
    ]
    report = gathered(request(held, complete=False), ["k"], listings, frozenset({"SINCE", "HELD"}), None)
    first, second = report.skus
    assert (first.sku, first.held_orders, first.title, first.eans) == (
        "HELD",
        3,
        "From the listing",
        ("4006381333931",),
    )
    assert first.marketplaces == ("Amazon.fr", "Amazon.de")
    assert first.effect == "releases 3 held orders"
    assert (second.sku, second.marketplaces) == ("OPEN", ("Amazon.de", "Amazon.fr"))
    assert second.effect == "no order is held for it"
    assert report.notes == ("More orders are held than were counted.",)


def test_amazon_is_asked_once_of_each_asin() -> None:
    held = [
        OpenSku(sku=f"S{number}", orders=1, asin=f"B{number % 3}", marketplaces=("Amazon.de",))
        for number in range(6)
    ]
    fresh = gathered(request(*held), [], [], frozenset(), None)
    [asked] = wanted(fresh, [GERMANY, FRANCE])
    assert (asked.marketplace_id, asked.asins) == (GERMANY, ("B0", "B1", "B2"))
    before = SkuReport(
        seller_id="S",
        taken=NOW,
        items_key="items/x",
        skus=(SkuEntry(sku="X", asin="B1", brand="Leaf", eans=("4006381333931",), asked=True),),
    )
    later = gathered(request(*held), [], [], frozenset(), before)
    [asked] = wanted(later, [GERMANY])
    assert asked.asins == ("B0", "B2")
    assert {one.brand for one in later.skus if one.asin == "B1"} == {"Leaf"}


def test_certain_is_what_is_sure_and_has_nothing_against_it() -> None:
    best = Suggestion(itno="1", name="Mug", score=0.9, confidence=0.99, reasons=("same EAN 1",))
    entry = SkuEntry(sku="A", ranked=(best,))
    assert entry.certain(0.985) is not None
    assert entry.certain(0.995) is None
    assert entry.model_copy(update={"notes": ("2 items have it.",)}).certain(0.985) is None
    assert SkuEntry(sku="A").certain(0.5) is None


@pytest.mark.parametrize("sku", ["A B", 'A"B', "ÄÖ", "x" * 61, "a/b", "茶", "\ud800"])
def test_a_sku_that_is_not_plain_is_told_by_its_digest(sku: str) -> None:
    made = sku_workflow_id("S", sku)
    assert made.startswith("sku-S-~")
    assert len(made) < 40
    assert made != sku_workflow_id("S", sku + " ")


def test_plain_ones_stand_in_the_id_and_blanks_around_are_dropped() -> None:
    assert sku_workflow_id("S", "BLUE-MUG_2.x") == "sku-S-BLUE-MUG_2.x"
    wanted_ = MapSkuInput.model_validate({"seller_id": "S", "sku": " BLUE ", "itno": "1 "})
    assert (wanted_.sku, wanted_.itno) == ("BLUE", "1")
    with pytest.raises(ValueError, match="itno"):
        MapSkuInput.model_validate({"seller_id": "S", "sku": "A", "itno": "1" * 16})
