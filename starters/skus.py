"""SKUs without item, as commands show them: held orders as they are now, listings and suggestions from the archive."""

import shlex
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel
from temporalio.client import Client

from canonical.marketplaces import MARKETPLACES, marketplace_name
from canonical.sku.look_contracts import (
    SKU_LOOK,
    OpenSku,
    SkuEntry,
    SkuLooked,
    SkuLookInput,
    SkuReport,
    sku_look_id,
)
from starters.console import Refused
from starters.passes import begin, finish
from worker.archiving import Archive
from worker.settings import SellerSettings
from worker.sku_archive import latest_report, newest_listings
from worker.sku_held import open_skus


class OpenRow(BaseModel):
    """A SKU without item."""

    sku: str
    seller_id: str
    marketplaces: tuple[str, ...]
    held_orders: int
    title: str
    asin: str


class ShownItem(BaseModel):
    """An item that a SKU may be."""

    itno: str
    name: str
    score: float
    confidence: float
    reasons: tuple[str, ...]
    command: str
    """What maps the SKU to it."""


class ShownSku(BaseModel):
    """A SKU with what is suggested for it."""

    sku: str
    marketplaces: tuple[str, ...]
    title: str
    asin: str
    held_orders: int
    effect: str
    suggestions: tuple[ShownItem, ...]
    notes: tuple[str, ...]


class ShownLook(BaseModel):
    """What the last look at a seller's SKUs found."""

    seller_id: str
    taken: datetime
    skus: tuple[ShownSku, ...]
    notes: tuple[str, ...]


async def open_rows(client: Client, archive: Archive, sellers: dict[str, SellerSettings]) -> list[OpenRow]:
    """Every SKU without item, those with most held orders first. Raises RPCError, ArchiveError."""
    rows: dict[tuple[str, str], OpenRow] = {}
    for seller_id, seller in sellers.items():
        for one in (await open_skus(client, seller_id)).skus:
            rows[seller_id, one.sku] = OpenRow(
                sku=one.sku,
                seller_id=seller_id,
                marketplaces=one.marketplaces,
                held_orders=one.orders,
                title=one.title,
                asin=one.asin,
            )
        for marketplace_id in seller.marketplaces:
            _add_listings(rows, archive, seller_id, marketplace_id)
    return sorted(rows.values(), key=lambda row: (-row.held_orders, row.seller_id, row.sku))


def _add_listings(
    rows: dict[tuple[str, str], OpenRow], archive: Archive, seller_id: str, marketplace_id: str
) -> None:
    snapshot = newest_listings(archive, seller_id, marketplace_id)
    name = marketplace_name(marketplace_id)
    for one in snapshot.listings if snapshot else ():
        if one.itno or not one.sku:
            continue
        known = rows.get((seller_id, one.sku))
        places = dict.fromkeys((*(known.marketplaces if known else ()), name))
        rows[seller_id, one.sku] = OpenRow(
            sku=one.sku,
            seller_id=seller_id,
            marketplaces=tuple(places),
            held_orders=known.held_orders if known else 0,
            title=(known.title if known else "") or one.title,
            asin=(known.asin if known else "") or one.asin,
        )


async def look(client: Client, sellers: Sequence[str]) -> None:
    """Look now, at all sellers at once; nothing is mapped by it."""
    begun = [
        await begin(client, SKU_LOOK, SkuLookInput(seller_id=one), sku_look_id(one), "SKUs without item")
        for one in sellers
    ]
    for one in begun:
        await finish(client, one, SkuLooked)


async def suggestions(
    client: Client, archive: Archive, seller_id: str, sku: str, *, limit: int
) -> ShownLook | None:
    """What the last look found, of one SKU or of the first ones, with the orders that are held now; None where nobody
    has looked. Raises RPCError, ArchiveError."""
    report = latest_report(archive, seller_id)
    if report is None:
        return None
    held = {one.sku: one for one in (await open_skus(client, seller_id, asked=0)).skus}
    entries = [_as_now(one, held) for one in report.skus if sku in ("", one.sku)]
    entries.sort(key=lambda one: (-one.held_orders, one.sku))
    return _shown(report, entries[:limit])


def _as_now(entry: SkuEntry, held: dict[str, OpenSku]) -> SkuEntry:
    orders = held[entry.sku].orders if entry.sku in held else 0
    return entry.model_copy(update={"held_orders": orders})


def _shown(report: SkuReport, entries: Sequence[SkuEntry]) -> ShownLook:
    return ShownLook(
        seller_id=report.seller_id,
        taken=report.taken,
        notes=report.notes,
        skus=tuple(
            ShownSku(
                sku=one.sku,
                marketplaces=one.marketplaces,
                title=one.title,
                asin=one.asin,
                held_orders=one.held_orders,
                effect=one.effect,
                notes=one.notes,
                suggestions=tuple(
                    ShownItem(**item.model_dump(), command=map_command(report.seller_id, one.sku, item.itno))
                    for item in one.ranked
                ),
            )
            for one in entries
        ),
    )


def map_command(seller_id: str, sku: str, itno: str) -> str:
    """The command that maps a SKU, as it is pasted into a shell."""
    return f"o2c sku map {shlex.quote(sku)} {shlex.quote(itno)} --seller {seller_id}"


def marketplaces_of(words: Sequence[str], seller_id: str, seller: SellerSettings) -> tuple[str, ...]:
    """Marketplace ids of what was typed: ids or names such as Amazon.de. Raises Refused."""
    known = {marketplace_name(one).lower(): one for one in seller.marketplaces}
    found = []
    for word in words:
        marketplace = word if word in MARKETPLACES else known.get(word.lower(), "")
        if marketplace not in seller.marketplaces:
            names = ", ".join(marketplace_name(one) for one in seller.marketplaces)
            raise Refused(f"Seller {seller_id} has no marketplace {word}; it has {names}.", 2)
        found.append(marketplace)
    return tuple(dict.fromkeys(found))
