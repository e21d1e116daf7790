"""GET_LEDGER_DETAIL_VIEW_DATA: what happened to the pieces in Amazon's centres, line by line.

Facts: the columns (public parsers of the file, Amazon's help page), month before day in the date, and that
reportOptions takes one eventType (amzn/selling-partner-api-models issue 4747). Inferred: values without quotes,
and that nothing is reconciled.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from simulators.amazon.reports.frame import Frame, Row
from simulators.amazon.reports.kinds import LEDGER
from simulators.amazon.stock.desk import StockDesk
from simulators.amazon.stock.pools import Pools
from simulators.amazon.stock.records import Entry, pool_of

__all__ = ["LEDGER", "rows"]
CENTRES = {"EU": ("LEJ1", "DE"), "GB": ("LBA1", "GB"), "US": ("PHX6", "US"), "CA": ("YYZ1", "CA")}
"""The centre and its country that stand for a pool."""
RECONCILED = frozenset({"M", "E", "F"})
"""The codes of which the file tells what is settled."""


def rows(stock: StockDesk, pools: Pools, frame: Frame, options: Mapping[str, str]) -> list[Row]:
    """The lines of the seller's pools in the window, newest first."""
    names = {pool_of(marketplace) for marketplace in frame.marketplaces}
    event = options.get("eventType")
    found = [
        entry
        for entry in pools.ledger
        if entry.seller_id == frame.seller_id
        and entry.pool in names
        and frame.covers(entry.at_ms)
        and event in (None, entry.event)
    ]
    return [_row(stock, entry) for entry in sorted(found, key=lambda one: (-one.at_ms, -one.number))]


def _row(stock: StockDesk, entry: Entry) -> Row:
    listing = stock.find(entry.seller_id, entry.sku)
    centre, country = CENTRES.get(entry.pool, ("FC01", entry.pool))
    at = datetime.fromtimestamp(entry.at_ms // 1000, UTC)
    row = {
        "Date": f"{at:%m/%d/%Y}",
        "FNSKU": listing.fnsku if listing else "",
        "ASIN": listing.asin if listing else "",
        "MSKU": entry.sku,
        "Title": listing.title if listing else "",
        "Event Type": entry.event,
        "Reference ID": entry.reference,
        "Quantity": str(entry.quantity),
        "Fulfillment Center": centre,
        "Disposition": entry.disposition,
        "Reason": entry.reason,
        "Country": country,
        "Date and Time": f"{at:%Y-%m-%dT%H:%M:%S}+0000",
    }
    if entry.reason in RECONCILED:
        row |= {"Reconciled Quantity": "0", "Unreconciled Quantity": str(abs(entry.quantity))}
    return row
