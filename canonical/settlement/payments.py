"""Customer payments: the buyer's money of a settlement, order by order, in memory that does not grow.

A settlement may have hundreds of thousands of orders whose rows stand anywhere in the file. Sums of the orders
met lately are kept; when they are too many they are written away in order, and merged at the end.
"""

import heapq
import io
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import chain, groupby
from operator import itemgetter
from typing import BinaryIO, Final, NamedTuple

from canonical.settlement.amounts import Amounts
from canonical.settlement.categories import TAX_OF_REFUNDS, TAX_OF_SALES, WITHHELD
from canonical.settlement.models import CustomerPayment, PaymentKind, PaymentTotal, Withheld

Spool = Callable[[], BinaryIO]
"""Opens an empty file for reading and writing, such as `tempfile.TemporaryFile`."""

ORDERS_KEPT: Final = 10_000
"""Orders whose sums are kept in memory: a few megabytes."""
_SHOWN_ROWS: Final = 20


class Part(NamedTuple):
    """What an amount adds to."""

    kind: PaymentKind
    marketplace: str
    category: str


_Payment = tuple[PaymentKind, str]
"""Kind and marketplace."""
Sums = dict[str, int]
"""By part and shipment id (`key`): cents with the first row in the lowest bits, so that a sum is one number and
adding to it keeps the row: see `packed`."""
ROW_BITS: Final = 32
_ROW: Final = (1 << ROW_BITS) - 1

_Item = tuple[int, str, int]
"""Part, shipment id, packed sum."""
_Sum = tuple[str, str, int, int]
"""Category, shipment id, cents, first row."""


def packed(minor: int, row: int) -> int:
    """Cents and their first row as one number; further cents are added shifted by ROW_BITS."""
    return (minor << ROW_BITS) + row


class OrderSums:
    """Sums by order, part and shipment. `summing` adds to `open` itself, as it does so for every row."""

    def __init__(self, spool: Spool = io.BytesIO, kept: int = ORDERS_KEPT) -> None:
        self.open: dict[str, Sums] = {}
        self._kept = kept
        self._parts: list[Part] = []
        self._spool = spool
        self._runs: list[BinaryIO] = []

    def part(self, part: Part) -> str:
        """What a key begins with; the shipment id follows."""
        if part not in self._parts:
            self._parts.append(part)
        return f"{self._parts.index(part)}\t"

    def new(self, order_id: str) -> Sums:
        """Room for an order that is not among the open ones."""
        if len(self.open) >= self._kept:
            self._write_away()
        found: Sums = {}
        self.open[order_id] = found
        return found

    def _write_away(self) -> None:
        run = self._spool()
        for order_id in sorted(self.open):
            sums = "\t".join([f"{key}\t{found}" for key, found in self.open[order_id].items()])
            run.write(f"{order_id}\t{sums}\n".encode())
        self._runs.append(run)
        self.open.clear()

    def _merged(self) -> Iterator[tuple[str, list[_Item]]]:
        """Every order once, sorted by its id."""
        runs = [*map(_read_back, self._runs), self._still_open()]
        for order_id, same in groupby(heapq.merge(*runs), key=itemgetter(0)):
            first, *more = (items for _, items in same)
            yield order_id, _joined(first, *more) if more else first

    def _still_open(self) -> Iterator[tuple[str, list[_Item]]]:
        for order_id in sorted(self.open):
            keys = ((key.partition("\t"), found) for key, found in self.open[order_id].items())
            yield order_id, [(int(part), shipment, found) for (part, _, shipment), found in keys]

    def payments(self, amounts: Amounts) -> Iterator[CustomerPayment]:
        """The payments by order id, refunds behind payments; those of nothing are left out. One pass at a time."""
        for order_id, items in self._merged():
            for (kind, marketplace), group in sorted(self._by_payment(items).items()):
                if sum(minor for _, _, minor, _ in group):
                    yield CustomerPayment(
                        order_id=order_id,
                        kind=kind,
                        marketplace=marketplace,
                        amount=amounts.major(sum(minor for _, _, minor, _ in group)),
                        parts=_summed(amounts, [(category, minor) for category, _, minor, _ in group]),
                        shipments=_summed(amounts, [(shipment, minor) for _, shipment, minor, _ in group]),
                        row=min(row for _, _, _, row in group),
                    )

    def _by_payment(self, items: list[_Item]) -> dict[_Payment, list[_Sum]]:
        found: dict[_Payment, list[_Sum]] = {}
        for number, shipment, one in items:
            part = self._parts[number]
            found.setdefault(part[:2], []).append((part.category, shipment, one >> ROW_BITS, one & _ROW))
        return found

    def survey(self, amounts: Amounts) -> tuple[tuple[PaymentTotal, ...], Withheld]:
        """Totals by kind and marketplace, and how withheld tax nets."""
        totals: dict[_Payment, list[int]] = {part[:2]: [0, 0] for part in self._parts}
        tax = _TaxTally()
        payment_of = [part[:2] for part in self._parts]
        withheld = {number for number, part in enumerate(self._parts) if part.category in WITHHELD}
        for _, items in self._merged():
            sums: dict[_Payment, int] = {}
            for number, _, one in items:
                payment = payment_of[number]
                sums[payment] = sums.get(payment, 0) + (one >> ROW_BITS)
            for payment, minor in sums.items():
                if minor:
                    totals[payment][0] += minor
                    totals[payment][1] += 1
            if withheld and any(number in withheld for number, _, _ in items):
                tax.add(self._by_payment(items))
        told = tuple(
            PaymentTotal(kind=kind, marketplace=place, amount=amounts.major(minor), count=count)
            for (kind, place), (minor, count) in sorted(totals.items())
            if count
        )
        return told, tax.told(amounts)


class _TaxTally:
    """Tax of the orders that have withheld tax, against what is withheld."""

    def __init__(self) -> None:
        self._collected = self._withheld = self._orders = self._odd = 0
        self._rows: list[int] = []

    def add(self, payments: dict[_Payment, list[_Sum]]) -> None:
        for (kind, _), group in payments.items():
            taxes = TAX_OF_SALES if kind is PaymentKind.PAYMENT else TAX_OF_REFUNDS
            withheld = [minor for category, _, minor, _ in group if category in WITHHELD]
            if not withheld:
                continue
            collected = sum(minor for category, _, minor, _ in group if category in taxes)
            self._orders += 1
            self._collected += collected
            self._withheld += sum(withheld)
            if collected + sum(withheld):
                self._odd += 1
                self._rows = sorted((*self._rows, min(row for _, _, _, row in group)))[:_SHOWN_ROWS]

    def told(self, amounts: Amounts) -> Withheld:
        return Withheld(
            collected=amounts.major(self._collected),
            withheld=amounts.major(self._withheld),
            orders=self._orders,
            odd=self._odd,
            odd_rows=tuple(self._rows),
        )


def _summed(amounts: Amounts, parts: list[tuple[str, int]]) -> dict[str, Decimal]:
    sums: dict[str, int] = {}
    for name, minor in parts:
        sums[name] = sums.get(name, 0) + minor
    return {name: amounts.major(minor) for name, minor in sorted(sums.items())}


def _joined(*several: list[_Item]) -> list[_Item]:
    """Items of one order from several runs, each part and shipment once."""
    sums: dict[tuple[int, str], int] = {}
    for part, shipment, one in chain(*several):
        known = sums.get((part, shipment))
        if known is None:
            sums[part, shipment] = one
        else:
            minor = (known >> ROW_BITS) + (one >> ROW_BITS)
            sums[part, shipment] = packed(minor, min(known & _ROW, one & _ROW))
    return [(*key, found) for key, found in sums.items()]


def _read_back(run: BinaryIO) -> Iterator[tuple[str, list[_Item]]]:
    run.seek(0)
    for line in run:
        order_id, *cells = line.decode().rstrip("\n").split("\t")
        each = iter(cells)
        yield order_id, [(int(part), shipment, int(found)) for part, shipment, found in zip(each, each, each)]  # noqa: B905
