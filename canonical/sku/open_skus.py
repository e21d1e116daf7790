"""SKUs without item: from held orders and listings to suggestions. Pure; `suggested` alone is handed an index."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from canonical.marketplaces import MARKETPLACES, marketplace_name
from canonical.sku import look_contracts as act
from canonical.sku import models
from canonical.sku.catalog import CatalogItem
from canonical.sku.ranking import ranked, rivals_of
from canonical.stock.listings import Listing

if TYPE_CHECKING:
    from canonical.sku.index import ItemIndex

Listed = tuple[str, Listing]
"""A listing, and the marketplace it is in."""
SHOWN: Final = 5


def gathered(
    request: act.GatherRequest,
    keys: Sequence[str],
    listings: Iterable[Listed],
    mapped: frozenset[str],
    last: act.SkuReport | None,
) -> act.SkuReport:
    """Every SKU without item, those with most held orders first.

    mapped: SKUs that have become an alias since. last: what the look before knew of them from Amazon's catalogue.
    """
    found: dict[str, act.SkuEntry] = {
        one.sku: act.SkuEntry(
            sku=one.sku,
            marketplaces=one.marketplaces,
            title=one.title,
            asin=one.asin,
            held_orders=one.orders,
            example=one.example,
        )
        for one in request.held
    }
    for marketplace_id, listing in listings:
        known = found.get(listing.sku)
        if known is None and (listing.itno or listing.sku in mapped or not listing.sku):
            continue
        found[listing.sku] = _with(known or act.SkuEntry(sku=listing.sku), marketplace_id, listing)
    before = {one.asin: one for one in last.skus if one.asked} if last else {}
    entries = [_as_before(one, before.get(one.asin)) for one in found.values()]
    entries.sort(key=lambda one: (-one.held_orders, one.sku))
    notes = []
    if len(entries) > act.MOST_SKUS:
        notes.append(f"{len(entries)} SKUs have no item; the first {act.MOST_SKUS} were looked at.")
    if not request.complete:
        notes.append("More orders are held than were counted.")
    return act.SkuReport(
        seller_id=request.seller_id,
        taken=request.taken,
        items_key=request.items_key,
        listings=tuple(keys),
        skus=tuple(entries[: act.MOST_SKUS]),
        notes=tuple(notes),
    )


def _with(entry: act.SkuEntry, marketplace_id: str, listing: Listing) -> act.SkuEntry:
    name = marketplace_name(marketplace_id)
    notes = (listing.problem,) if listing.problem and listing.problem not in entry.notes else ()
    eans = (listing.ean,) if listing.ean and listing.ean not in entry.eans else ()
    changes: dict[str, object] = {
        "marketplaces": tuple(dict.fromkeys((*entry.marketplaces, name))),
        "title": listing.title or entry.title,
        "asin": entry.asin or listing.asin,
        "eans": (*entry.eans, *eans),
        "notes": (*entry.notes, *notes),
    }
    return entry.model_copy(update=changes)


def _as_before(entry: act.SkuEntry, before: act.SkuEntry | None) -> act.SkuEntry:
    if before is None or not entry.asin:
        return entry
    eans = tuple(dict.fromkeys((*entry.eans, *before.eans)))
    title = entry.title or before.title
    return entry.model_copy(update={"brand": before.brand, "eans": eans, "title": title, "asked": True})


def wanted(report: act.SkuReport, marketplaces: Sequence[str]) -> tuple[act.AsinsWanted, ...]:
    """The ASINs of which Amazon's catalogue has not been asked, by marketplace; at most `MOST_ASKED`."""
    names = {MARKETPLACES[one].name: one for one in marketplaces if one in MARKETPLACES}
    asked: dict[str, list[str]] = {}
    count = 0
    for entry in report.skus:
        place = next((names[name] for name in entry.marketplaces if name in names), None)
        if not entry.asin or entry.asked or place is None or entry.asin in asked.get(place, ()):
            continue
        asked.setdefault(place, []).append(entry.asin)
        count += 1
        if count >= act.MOST_ASKED:
            break
    return tuple(act.AsinsWanted(marketplace_id=one, asins=tuple(asins)) for one, asins in asked.items())


def suggested(
    report: act.SkuReport, request: act.SuggestRequest, index: "ItemIndex", listings: Sequence[Listed]
) -> act.SkuReport:
    """The report with ranked items. SKUs compete for the items, also with listings whose item is known."""
    catalogue = {one.asin: one for one in request.catalogue}
    entries = [_enriched(one, catalogue) for one in report.skus]
    looked = [index.look(_listing(one)) for one in entries]
    alone = [ranked(one, {}, SHOWN) for one in looked]
    contested = {suggestion.itno for one in alone for suggestion in one.ranked}
    open_ones = {one.sku for one in entries}
    holders: Mapping[str, Listing] = {
        listing.sku: listing
        for _, listing in listings
        if listing.itno in contested and listing.sku not in open_ones
    }
    rivals = rivals_of([*looked, *(index.look(_known(one)) for one in holders.values())])
    found = [ranked(one, against, SHOWN) for one, against in zip(looked, rivals, strict=False)]
    skus = tuple(
        entry.model_copy(
            update={"ranked": each.ranked, "notes": tuple(dict.fromkeys((*entry.notes, *each.notes)))}
        )
        for entry, each in zip(entries, found, strict=True)
    )
    notes = (*report.notes, *request.notes, *index.notes[:20])
    return report.model_copy(update={"skus": skus, "notes": notes})


def summary(report: act.SkuReport, key: str, request: act.SuggestRequest) -> act.Suggested:
    """What a workflow needs of the report."""
    certain = [one for entry in report.skus if (one := entry.certain(request.threshold))]
    return act.Suggested(
        key=key,
        skus=len(report.skus),
        held_orders=sum(one.held_orders for one in report.skus),
        with_suggestion=sum(bool(one.ranked) for one in report.skus),
        certain=len(certain),
        first=tuple(certain[: request.most_certain]),
        notes=report.notes[:10],
    )


def _enriched(entry: act.SkuEntry, catalogue: Mapping[str, CatalogItem]) -> act.SkuEntry:
    item = catalogue.get(entry.asin) if entry.asin else None
    if item is None:
        return entry
    eans = tuple(dict.fromkeys((*entry.eans, *item.eans)))
    title = item.title or entry.title
    return entry.model_copy(update={"title": title, "brand": item.brand, "eans": eans, "asked": True})


def _listing(entry: act.SkuEntry) -> models.Listing:
    return models.Listing(
        sku=entry.sku, asin=entry.asin, gtins=entry.eans, title=entry.title, brand=entry.brand
    )


def _known(listing: Listing) -> models.Listing:
    return models.Listing(
        sku=listing.sku,
        asin=listing.asin,
        gtins=(listing.ean,) if listing.ean else (),
        title=listing.title,
    )
