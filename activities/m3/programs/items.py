"""Items and their other names: MMS200MI, MMS025MI."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from activities.m3.client import Call, M3Client
from activities.m3.errors import MIError

ALIAS_LENGTH: Final = 30
"""POPN; Amazon's SellerSKU may have 40 characters."""


@dataclass(frozen=True)
class Item:
    """An M3 item: status 20 is released, nothing else is safe to order."""

    itno: str
    status: str
    name: str


async def aliases(client: M3Client, skus: Sequence[str], *, alwt: str, alwq: str) -> dict[str, str]:
    """ITNO by SKU for the SKUs that M3 knows as alias (MMS025MI.GetItem, one bulk call)."""
    short = [sku for sku in skus if len(sku) <= ALIAS_LENGTH]
    calls: list[Call] = [("GetItem", {"ALWT": alwt, "ALWQ": alwq, "POPN": sku}) for sku in short]
    results = await client.execute_bulk("MMS025MI", calls)
    found = {sku: result.row() for sku, result in zip(short, results, strict=True)}
    return {sku: row["ITNO"] for sku, row in found.items() if row and row.get("ITNO")}


async def add_alias(client: M3Client, sku: str, itno: str, *, alwt: str, alwq: str) -> None:
    """Make `sku` another name of `itno` (MMS025MI.AddAlias). Raises `MIError`, XRE0104 where it is taken."""
    await client.execute("MMS025MI", "AddAlias", {"ALWT": alwt, "ALWQ": alwq, "ITNO": itno, "POPN": sku})


async def delete_alias(client: M3Client, sku: str, itno: str, *, alwt: str, alwq: str) -> None:
    """Take the name away from the item (MMS025MI.DltAlias); already gone is fine."""
    try:
        await client.execute("MMS025MI", "DltAlias", {"ALWT": alwt, "ALWQ": alwq, "ITNO": itno, "POPN": sku})
    except MIError as error:
        if not error.is_missing:
            raise


async def items(client: M3Client, numbers: Sequence[str]) -> dict[str, Item]:
    """The items that exist, by ITNO (MMS200MI.Get, one bulk call)."""
    results = await client.execute_bulk("MMS200MI", [("Get", {"ITNO": itno}) for itno in numbers])
    found = {}
    for itno, result in zip(numbers, results, strict=True):
        row = result.row()
        if row is not None:
            found[itno] = _item(row)
    return found


async def search(
    client: M3Client, queries: Sequence[str], starts: Sequence[str], *, limit: int = 50
) -> list[Item]:
    """Items that a search finds (SearchItem, whose index lags) or that follow a number (LstItmByItm).

    Only released ones; a query M3 does not understand finds nothing.
    """
    calls: list[Call] = [("SearchItem", {"SQRY": query}) for query in queries]
    calls += [("LstItmByItm", {"ITNO": start}) for start in starts]
    results = await client.execute_bulk("MMS200MI", calls, maxrecs=limit)
    found = [_item(row) for result in results if result.error is None for row in result.records]
    return list({item.itno: item for item in found if item.status == "20"}.values())


def _item(row: dict[str, str]) -> Item:
    return Item(row.get("ITNO", ""), row.get("STAT", ""), row.get("FUDS") or row.get("ITDS", ""))
