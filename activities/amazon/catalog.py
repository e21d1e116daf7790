"""What this service asks Amazon's catalogue (Catalog Items 2022-04-01). Every method raises `AmazonError`."""

from collections.abc import Mapping
from typing import Final

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.operations import SEARCH_CATALOG_ITEMS
from activities.amazon.transport import Transport
from canonical.sku.catalog import MOST_ASINS, CatalogItem, CatalogRequest

NUMBERS: Final = frozenset({"EAN", "UPC", "GTIN", "JAN", "ISBN"})
"""Kinds of identifiers that trade prints on the product."""


class Catalog:
    """The catalogue as one selling partner may read it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def by_asin(self, wanted: CatalogRequest) -> tuple[CatalogItem, ...]:
        """Up to twenty products (2 calls/s, burst 2); one that Amazon does not know is left out."""
        query = {
            "identifiers": ",".join(wanted.asins),
            "identifiersType": "ASIN",
            "marketplaceIds": wanted.marketplace_id,
            "includedData": "identifiers,summaries",
            "pageSize": str(MOST_ASINS),
        }
        items = (await self._transport.call(SEARCH_CATALOG_ITEMS, query=query)).get("items")
        if not isinstance(items, list):
            raise AmazonError(
                Failure.UNAVAILABLE,
                SEARCH_CATALOG_ITEMS.name,
                status=200,
                message="the answer has no usable 'items'",
            )
        return tuple(_item(entry, wanted.marketplace_id) for entry in _objects(items) if entry.get("asin"))


def _item(entry: Mapping[str, object], marketplace_id: str) -> CatalogItem:
    summary = next(iter(_of(entry.get("summaries"), marketplace_id)), {})
    numbers = [
        str(number.get("identifier") or "")
        for group in _of(entry.get("identifiers"), marketplace_id)
        for number in _objects(group.get("identifiers"))
        if number.get("identifierType") in NUMBERS
    ]
    return CatalogItem(
        asin=str(entry["asin"]),
        title=" ".join(str(summary.get("itemName") or "").split()),
        brand=" ".join(str(summary.get("brand") or "").split()),
        eans=tuple(dict.fromkeys(number for number in numbers if number)),
    )


def _of(value: object, marketplace_id: str) -> list[dict[str, object]]:
    """The parts about the marketplace."""
    return [entry for entry in _objects(value) if entry.get("marketplaceId") == marketplace_id]


def _objects(value: object) -> list[dict[str, object]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
