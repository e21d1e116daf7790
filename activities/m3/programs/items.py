"""Items and their other names: MMS200MI, MMS025MI."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from activities.m3.client import BulkResult, Call, M3Client
from activities.m3.errors import MIError
from activities.m3.replies import MIRecord
from canonical.sku.item_file import Alias, CatalogueItem

_PAGE: Final = 500
_FIRST: Final = "!"
"""A number before every item's, in ASCII and in EBCDIC: the field may not be empty."""
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


async def items_behind(client: M3Client, name: str, *, alwt: str, alwq: str) -> tuple[str, ...]:
    """Every item of which this is a valid alias of the category, by number (MMS025MI.LstItem): more than one where
    they are of different partners (E0PA)."""
    [result] = await client.execute_bulk("MMS025MI", [("LstItem", {"POPN": name, "ALWT": alwt})])
    valid = (row for row in result.rows() if row.get("ALWQ", "") == alwq and not _is_past(row))
    return tuple(sorted({row["ITNO"] for row in valid}))


async def all_items(client: M3Client, after: str, count: int) -> list[CatalogueItem]:
    """The next items by number, at least `count` where there are so many, each with its aliases, also past ones
    (MMS200MI.LstItmByItm from the last number on, whatever M3 cuts a list to; MMS025MI.LstAlias in bulk). Empty after
    the last one."""
    rows: dict[str, MIRecord] = {}
    last = after
    while len(rows) < count:
        page = await client.execute("MMS200MI", "LstItmByItm", {"ITNO": last or _FIRST}, maxrecs=_PAGE)
        new = {row["ITNO"]: row for row in page if row["ITNO"] not in (after, *rows)}
        if not new:
            break
        rows |= new
        last = page[-1]["ITNO"]
    calls: list[Call] = [("LstAlias", {"ITNO": itno}) for itno in rows]
    named = await client.execute_bulk("MMS025MI", calls, maxrecs=_PAGE)
    return [_described(row, found) for row, found in zip(rows.values(), named, strict=True)]


def may_be_alias(name: str) -> bool:
    """Whether M3 can keep it as an alias at all."""
    return 0 < len(name) <= ALIAS_LENGTH and name.isprintable()


async def items_of_aliases(
    client: M3Client, names: Sequence[str], *, alwt: str, alwq: str
) -> dict[str, tuple[str, ...]]:
    """As `items_behind`, for many names that may be aliases at all (MMS025MI.LstItem, in bulk)."""
    calls: list[Call] = [("LstItem", {"POPN": name, "ALWT": alwt}) for name in names]
    results = await client.execute_bulk("MMS025MI", calls)
    found = {}
    for name, result in zip(names, results, strict=True):
        valid = (row for row in result.rows() if row.get("ALWQ", "") == alwq and not _is_past(row))
        found[name] = tuple(sorted({row["ITNO"] for row in valid}))
    return found


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


def _described(row: MIRecord, aliases: BulkResult) -> CatalogueItem:
    known = (
        Alias(
            name=alias["POPN"],
            alwt=alias.get("ALWT", ""),
            alwq=alias.get("ALWQ", ""),
            past=_is_past(alias),
        )
        for alias in aliases.rows()
    )
    return CatalogueItem(
        itno=row["ITNO"],
        name=row.get("ITDS", ""),
        description=row.get("FUDS", ""),
        status=row.get("STAT", ""),
        aliases=tuple(known),
    )


def _is_past(alias: MIRecord) -> bool:
    """Whether an alias was valid to a day that has passed (LVDT, YYYYMMDD)."""
    until = alias.get("LVDT", "").strip("0 ")
    return bool(until) and alias["LVDT"] < f"{datetime.now(UTC):%Y%m%d}"


def _item(row: dict[str, str]) -> Item:
    return Item(row.get("ITNO", ""), row.get("STAT", ""), row.get("FUDS") or row.get("ITDS", ""))
