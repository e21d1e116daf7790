"""Amazon's marketplaces agree with what others say of them."""

import re
from pathlib import Path

import pytest

from canonical.marketplaces import (
    MARKETPLACES,
    by_country,
    by_sales_channel,
    is_non_amazon,
    marketplace_name,
    prices_include_tax,
    region_of,
)
from simulators import catalogue


def test_ids_countries_and_regions_are_amazons(shared: Path) -> None:
    text = (shared / "reference" / "amazon.md").read_text()
    listed = text[text.index("**Marketplace ids**") :].splitlines()[0]
    regions = dict(re.findall(r"(NA|EU|FE): ([^.]*)\.", listed))
    told = {
        (identifier, country, region.lower())
        for region, pairs in regions.items()
        for country, identifier in re.findall(r"([A-Z]{2}) ([A-Z0-9]{10,})", pairs)
    }
    assert told == {(row.id, row.country, row.region) for row in MARKETPLACES.values()}


def test_the_pretended_seller_sells_where_amazon_is() -> None:
    for sold in catalogue.MARKETPLACES:
        row = MARKETPLACES[sold.marketplace_id]
        assert (row.country, row.currency, row.name) == (sold.country, sold.currency, sold.sales_channel)
        assert row.prices_include_tax is (sold.vat_percent > 0)


def test_names_and_countries_find_one_marketplace_each() -> None:
    for row in MARKETPLACES.values():
        assert by_sales_channel(row.name.upper()) == row
        assert by_country(row.country.lower()) == row
        assert marketplace_name(row.id) == row.name
        assert region_of(row.id) == row.region
    assert by_sales_channel("Amazon.example") is None
    assert by_country("AT") is None


def test_an_unknown_marketplace_has_its_id_for_a_name() -> None:
    assert (marketplace_name("X"), region_of("X"), prices_include_tax("X")) == ("X", "", True)


@pytest.mark.parametrize(
    ("name", "foreign"),
    [("Non-Amazon", True), ("Non-Amazon US", True), ("NON_AMAZON", True), ("Amazon.de", False)],
)
def test_multi_channel_orders_are_recognised(name: str, foreign: bool) -> None:
    assert is_non_amazon(name) is foreign
