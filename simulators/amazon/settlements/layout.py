"""The flat file of a settlement (V2): columns, dates and decimals.

Facts: 24 columns; the first row has the totals and nothing else, the other rows have none of them; dates and decimals
by marketplace as real files show them; blanks behind the amount of a successful charge. Inferred: the style of the
marketplaces of which no file is known (United Kingdom: dates with dots, decimal point; else as in North America), and
yen without decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from simulators.amazon.aftersale.amounts import rounded
from simulators.amazon.reports.frame import Row
from simulators.amazon.settlements.money import Line

Style = Literal["eu", "us", "au"]
"""eu: 17.07.2026 and 1141,18. us: 2026-07-17 and 1141.18. au: 17.07.2026 and 1141.18."""

STYLES: dict[str, Style] = {
    "DE": "eu",
    "FR": "eu",
    "ES": "eu",
    "IT": "eu",
    "TR": "eu",
    "GB": "au",
    "AU": "au",
}
"""By country of the marketplace; us elsewhere."""

PADDED = frozenset({"Successful charge"})
"""Descriptions whose amounts have blanks behind them."""


def header(
    settlement_id: str,
    moments: tuple[int, int, int],
    total: Decimal,
    currency: str,
    style: Style,
    written: Callable[[int], str] | None = None,
) -> Row:
    """The first row: beginning, end and deposit, the total and its currency. written: moments other than V2's."""
    start, end, deposit = (written(at_ms) if written else moment(at_ms, style) for at_ms in moments)
    return {
        "settlement-id": settlement_id,
        "settlement-start-date": start,
        "settlement-end-date": end,
        "deposit-date": deposit,
        "total-amount": figure(total, currency, style),
        "currency": currency,
    }


def rows(settlement_id: str, lines: Iterable[Line], currency: str, style: Style) -> list[Row]:
    """The other rows."""
    return [_row(settlement_id, line, currency, style) for line in lines]


def _row(settlement_id: str, line: Line, currency: str, style: Style) -> Row:
    amount = figure(line.amount, currency, style)
    posted = moment(line.at_ms, style)
    return {
        "settlement-id": settlement_id,
        "transaction-type": line.transaction_type,
        "order-id": line.order_id,
        "merchant-order-id": line.order_id if line.item_id else "",
        "adjustment-id": line.adjustment_id,
        "shipment-id": line.shipment_id,
        "marketplace-name": line.marketplace_name,
        "amount-type": line.amount_type,
        "amount-description": line.description,
        "amount": f"{amount}    " if line.description in PADDED else amount,
        "fulfillment-id": line.fulfillment,
        "posted-date": posted.split(" ")[0],
        "posted-date-time": posted,
        "order-item-code": line.item_id,
        "merchant-adjustment-item-id": line.adjustment_item_id,
        "sku": line.sku,
        "quantity-purchased": line.quantity,
        "promotion-id": line.promotion_id,
    }


def moment(at_ms: int, style: Style) -> str:
    """A moment, in whole seconds and UTC."""
    days = "%Y-%m-%d" if style == "us" else "%d.%m.%Y"
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):{days} %H:%M:%S} UTC"


def figure(amount: Decimal, currency: str, style: Style) -> str:
    """An amount in the currency's decimals, without thousands."""
    text = f"{rounded(amount, currency):f}"
    return text.replace(".", ",") if style == "eu" else text
