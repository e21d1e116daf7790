"""Which reports can be asked for, and what each is made of.

Facts: Amazon's pages on report types (which are restricted, how often FBA reports are made, that an order
report without data is cancelled) and amzn/selling-partner-api-models issue 2591 (30 days at most, told in the
document of a report that has failed). Inferred: that the rules of other FBA reports (made once in half an hour)
hold for returns, reimbursements and listings too; listings of each marketplace by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from simulators.amazon.aftersale.files import FILES, Window
from simulators.amazon.record import OrderRecord
from simulators.amazon.reports import actionable, all_orders, fulfilled
from simulators.amazon.reports.columns import (
    ACTIONABLE,
    ALL_ORDERS,
    FULFILLED,
    LISTINGS_GERMAN,
    LISTINGS_JAPANESE,
    POINTS,
)
from simulators.amazon.reports.columns import LISTINGS as LISTINGS_COLUMNS
from simulators.amazon.reports.frame import Frame, Row

DAY_MS = 24 * 3600 * 1000
SettlementForm = Literal["v2", "v1", "xml"]
SETTLEMENTS: dict[SettlementForm, str] = {
    "v2": "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2",
    "v1": "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE",
    "xml": "GET_V2_SETTLEMENT_REPORT_DATA_XML",
}
UNASKED: dict[str, int] = {SETTLEMENTS["v2"]: 1118, SETTLEMENTS["v1"]: 1117, SETTLEMENTS["xml"]: 1116}
"""Reports that Amazon makes by itself alone -> the number by which it refuses a request for one (sellers' reports of
2021 to 2024; the XML's number is inferred)."""
LEDGER = "GET_LEDGER_DETAIL_VIEW_DATA"
LEDGER_COLUMNS: tuple[str, ...] = (
    "Date", "FNSKU", "ASIN", "MSKU", "Title", "Event Type", "Reference ID", "Quantity", "Fulfillment Center",
    "Disposition", "Reason", "Country", "Reconciled Quantity", "Unreconciled Quantity", "Date and Time", "Store",
)  # fmt: skip
"""The FBA ledger is made of no orders: whoever keeps the ledger hands its rows to the desk (`ReportDesk.sources`)."""
LISTINGS = "GET_MERCHANT_LISTINGS_ALL_DATA"
"""Made of no orders either; whoever keeps the stock hands its rows to the desk."""
TOO_LONG = "Date range exceeded. Report can be requested only upto 30 days"


@dataclass(frozen=True)
class Kind:
    """One report type.

    restricted: its document is opened by a restricted data token alone. rationed: made once in half an hour
    at most. longest_days: widest window.
    """

    name: str
    columns: tuple[str, ...]
    rows: Callable[[Iterable[OrderRecord], Frame], list[Row]]
    restricted: bool = False
    rationed: bool = False
    longest_days: int | None = None
    apart: bool = False
    elsewhere: tuple[tuple[str, ...], ...] = ()

    def too_long(self, start_ms: int, end_ms: int) -> bool:
        """Whether a window is wider than Amazon reports at once."""
        return self.longest_days is not None and end_ms - start_ms > self.longest_days * DAY_MS

    def columns_of(self, rows: list[Row]) -> tuple[str, ...]:
        """The header: points are a column only where points are given, and rows may be in another language."""
        for header in self.elsewhere:
            if rows and rows[0].keys() <= set(header):
                return header
        return (*self.columns, POINTS) if any(POINTS in row for row in rows) else self.columns


def _after_sale(name: str) -> Kind:
    columns, rows = FILES[name]

    def of_frame(records: Iterable[OrderRecord], frame: Frame) -> list[Row]:
        window: Window = frame
        return rows(frame.orders(records), window)

    return Kind(name, columns, of_frame, rationed=name.startswith("GET_FBA_"), longest_days=60)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        *map(_after_sale, FILES),
        Kind(
            "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL",
            ALL_ORDERS,
            all_orders.by_order_date,
            longest_days=30,
        ),
        Kind(
            "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL",
            ALL_ORDERS,
            all_orders.by_last_update,
            longest_days=30,
        ),
        Kind(
            "GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING",
            ACTIONABLE,
            actionable.rows,
            restricted=True,
        ),
        Kind(
            "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL",
            FULFILLED,
            fulfilled.rows,
            rationed=True,
            longest_days=31,
        ),
        Kind(LEDGER, LEDGER_COLUMNS, lambda _, __: []),
        Kind(
            LISTINGS,
            LISTINGS_COLUMNS,
            lambda _, __: [],
            rationed=True,
            apart=True,
            elsewhere=(tuple(LISTINGS_JAPANESE.values()), tuple(LISTINGS_GERMAN.values())),
        ),
    )
}
