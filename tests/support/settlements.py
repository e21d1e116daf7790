"""Settlement files made for tests, in the layout of Amazon's flat file V2."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from canonical.settlement.checks import book
from canonical.settlement.models import Booking, CustomerPayment
from canonical.settlement.payments import ORDERS_KEPT
from canonical.settlement.reading import Expected
from canonical.settlement.summing import Summed, read_settlement
from canonical.settlement.text import Source
from worker.settlement_settings import SettlementSettings

COLUMNS = (
    "settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount", "currency",
    "transaction-type", "order-id", "merchant-order-id", "adjustment-id", "shipment-id", "marketplace-name",
    "amount-type", "amount-description", "amount", "fulfillment-id", "posted-date", "posted-date-time",
    "order-item-code", "merchant-order-item-id", "merchant-adjustment-item-id", "sku", "quantity-purchased",
    "promotion-id",
)  # fmt: skip
ORDER_ID = "028-1234567-8901234"
SETTLEMENT_ID = "25719799032"


def iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def dotted(moment: datetime) -> str:
    return f"{moment:%d.%m.%Y %H:%M:%S} UTC"


def point(amount: Decimal) -> str:
    return str(amount)


def comma(amount: Decimal) -> str:
    return str(amount).replace(".", ",")


POSTED = datetime(2026, 7, 20, 12, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One amount of a settlement."""

    transaction: str
    kind: str
    description: str
    amount: Decimal
    order_id: str = ""
    marketplace: str = ""
    shipment_id: str = ""
    posted: datetime = POSTED
    sku: str = ""


def sale(description: str, amount: str, order_id: str = ORDER_ID, kind: str = "ItemPrice") -> Line:
    return Line("Order", kind, description, Decimal(amount), order_id, "Amazon.de", "BvxpJp5Yp")


def refund(description: str, amount: str, order_id: str = ORDER_ID, kind: str = "ItemPrice") -> Line:
    return Line("Refund", kind, description, Decimal(amount), order_id, "Amazon.de")


def other(description: str, amount: str, posted: datetime = POSTED) -> Line:
    return Line("other-transaction", "other-transaction", description, Decimal(amount), posted=posted)


@dataclass(frozen=True)
class Made:
    """A settlement file to be written."""

    lines: tuple[Line, ...] = ()
    total: Decimal | None = None
    """What the header declares; none is what the lines add up to."""
    settlement_id: str = SETTLEMENT_ID
    currency: str = "EUR"
    start: datetime = datetime(2026, 7, 17, 7, 6, 34, tzinfo=UTC)
    end: datetime = datetime(2026, 7, 31, 7, 6, 35, tzinfo=UTC)
    date: Callable[[datetime], str] = field(default=iso)
    number: Callable[[Decimal], str] = field(default=point)

    def rows(self) -> list[list[str]]:
        """The cells: column names, header, lines."""
        total = sum((line.amount for line in self.lines), Decimal(0)) if self.total is None else self.total
        header = [
            self.settlement_id, self.date(self.start), self.date(self.end), self.date(self.end),
            self.number(total), self.currency,
        ]  # fmt: skip
        return [
            list(COLUMNS),
            header + [""] * (len(COLUMNS) - len(header)),
            *(self._cells(line) for line in self.lines),
        ]

    def _cells(self, line: Line) -> list[str]:
        moment = self.date(line.posted)
        named = {
            "settlement-id": self.settlement_id, "transaction-type": line.transaction, "order-id": line.order_id,
            "merchant-order-id": line.order_id, "shipment-id": line.shipment_id,
            "marketplace-name": line.marketplace, "amount-type": line.kind, "amount-description": line.description,
            "amount": self.number(line.amount), "posted-date": moment.split(" ")[0], "posted-date-time": moment,
            "sku": line.sku,
        }  # fmt: skip
        return [named.get(column, "") for column in COLUMNS]

    def text(self) -> str:
        return written(self.rows())

    def permuted(self, order: Iterable[int]) -> "Made":
        return replace(self, lines=tuple(self.lines[place] for place in order))


def written(rows: Iterable[Iterable[str]]) -> str:
    return "".join("\t".join(cells) + "\n" for cells in rows)


def source(content: str | bytes, piece: int = 1 << 16) -> Source:
    """The content in pieces, as a file is read."""
    data = content.encode() if isinstance(content, str) else content

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(data), piece):
            yield data[start : start + piece]

    return pieces


def read(
    content: str | bytes | Made,
    settings: SettlementSettings | None = None,
    *,
    expected: Expected | None = None,
    charset: str | None = None,
    piece: int = 1 << 16,
    orders_kept: int = ORDERS_KEPT,
) -> Summed:
    """The content read to its end."""
    rules = settings or SettlementSettings()
    data = content.text() if isinstance(content, Made) else content
    return read_settlement(
        source(data, piece), rules.book, rules.plan, ZoneInfo(rules.time_zone),
        charset=charset, expected=expected, spool=tempfile.TemporaryFile, orders_kept=orders_kept,
    )  # fmt: skip


def booked(content: str | bytes | Made, settings: SettlementSettings | None = None) -> Booking:
    """The content read and booked on paper."""
    rules = settings or SettlementSettings()
    return book(read(content, rules).settlement, rules.plan)


def payments(content: str | bytes | Made, orders_kept: int = ORDERS_KEPT) -> list[CustomerPayment]:
    return list(read(content, orders_kept=orders_kept).payments())
