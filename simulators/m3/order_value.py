"""What a customer order is worth, as OIS100MI.GetOrderValue and GetHead tell it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from simulators.m3.money import amount_text, net_of, rounded
from simulators.m3.records import ZERO, Charge, Order, OrderLine
from simulators.m3.registry import Row


@dataclass(frozen=True)
class Value:
    """Amounts in the order's currency. Our reading of M3's fields (the metadata gives only their names):

    goods (NTAM, ONET): lines without VAT. charges (EXAM): charges on head and lines without VAT.
    vat (VTAM): VAT of both. subtotal (ORVA): goods + charges. total (TOAM, TOPY): subtotal + vat, what the
    customer owes; with an order type whose prices include VAT it is the sum of prices and charges as given.
    """

    goods: Decimal
    charges: Decimal
    total: Decimal

    @property
    def subtotal(self) -> Decimal:
        """Goods and charges without VAT."""
        return self.goods + self.charges

    @property
    def vat(self) -> Decimal:
        """VAT on goods and charges."""
        return self.total - self.subtotal


def _value(order: Order, goods: list[Decimal], charges: list[Decimal]) -> Value:
    vat_percent, cucd = order.vat_percent, order.cucd
    return Value(
        goods=sum((net_of(gross, vat_percent, cucd) for gross in goods), ZERO),
        charges=sum((net_of(gross, vat_percent, cucd) for gross in charges), ZERO),
        total=rounded(sum(goods, ZERO) + sum(charges, ZERO), cucd),
    )


def ordered(order: Order) -> Value:
    """Value of what is ordered and not closed."""
    goods = [rounded((line.orqt - line.closed) * line.sapr, order.cucd) for line in order.lines]
    charges = [charge.amount for charge in all_charges(order)]
    return _value(order, goods, charges)


def invoiced(order: Order) -> Value:
    """Value of what has been invoiced so far."""
    goods = [rounded(line.invoiced * line.sapr, order.cucd) for line in order.lines]
    charges = [charge.amount for charge in all_charges(order) if charge.ivno]
    return _value(order, goods, charges)


def all_charges(order: Order) -> list[Charge]:
    """Charges on the head and on the lines."""
    return [*order.charges, *(charge for line in order.lines for charge in line.charges)]


def line_net(order: Order, line: OrderLine) -> Decimal:
    """NLAM: amount of the line without VAT."""
    return net_of(rounded(line.orqt * line.sapr, order.cucd), order.vat_percent, order.cucd)


def value_fields(order: Order) -> Row:
    """The value fields of GetOrderValue; GetHead has the first half of them."""
    whole, billed = ordered(order), invoiced(order)
    return {
        "NTAM": amount_text(whole.goods), "ODAM": "0.00", "ONET": amount_text(whole.goods),
        "EXAM": amount_text(whole.charges), "EFAM": "0.00", "ORVA": amount_text(whole.subtotal),
        "VTAM": amount_text(whole.vat), "TOAM": amount_text(whole.total), "ROAM": "0.00",
        "TOPY": amount_text(whole.total), "BRAM": amount_text(whole.goods),
        "INTA": amount_text(billed.goods), "IDAM": "0.00", "INET": amount_text(billed.goods),
        "IXAM": amount_text(billed.charges), "IFAM": "0.00", "IRVA": amount_text(billed.subtotal),
        "IVTA": amount_text(billed.vat), "ITOA": amount_text(billed.total), "IROA": "0.00",
        "ITOP": amount_text(billed.total), "IRAM": amount_text(billed.goods),
        "CUCD": order.cucd,
    }  # fmt: skip
