"""Customer payments: the buyer's money of a settlement, order by order, in memory that does not grow.

A settlement may have hundreds of thousands of orders whose rows stand anywhere in the file. Sums of the orders
met lately are kept; when they are too many they are written away in order, and merged at the end.
"""

import heapq
import io
import marshal
import struct
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import chain, groupby
from operator import itemgetter
from typing import BinaryIO, Final, NamedTuple

from canonical.settlement.amounts import Amounts
from canonical.settlement.categories import WITHHELD
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
    tax: bool = False
    """Whether it is tax of the buyer's."""


_Payment = tuple[PaymentKind, str]
"""Kind and marketplace."""
Sums = dict[str, int]
"""By the part's mark and the shipment id behind it: cents with the first row in the lowest bits, so that a sum is
one number and adding to it keeps the row: see `packed`."""
ROW_BITS: Final = 32
_ROW: Final = (1 << ROW_BITS) - 1
_LENGTH: Final = struct.Struct(">Q")
_BATCH: Final = 256


class _Sum(NamedTuple):
    """What one part comes to. minor: cents. row: the first of them."""

    part: Part
    shipment: str
    minor: int
    row: int


def packed(minor: int, row: int) -> int:
    """Cents and their first row as one number; further cents are added shifted by ROW_BITS."""
    return (minor << ROW_BITS) + row


class OrderSums:
    """Sums by order, part and shipment. `summing` adds to `open` itself, as it does so for every row."""

    def __init__(self, spool: Spool = io.BytesIO, kept: int = ORDERS_KEPT) -> None:
        self.open: dict[str, Sums] = {}
        self._kept = kept
        self._parts: dict[str, Part] = {}
        self._spool = spool
        self._runs: list[BinaryIO] = []

    def mark(self, part: Part) -> str:
        """The part's mark, one character; the shipment id follows it in a key."""
        mark = next((mark for mark, known in self._parts.items() if known == part), chr(len(self._parts)))
        self._parts[mark] = part
        return mark

    def new(self, order_id: str) -> Sums:
        """Room for an order that is not among the open ones."""
        if len(self.open) >= self._kept:
            self._write_away()
        found: Sums = {}
        self.open[order_id] = found
        return found

    def _write_away(self) -> None:
        run, orders = self._spool(), sorted(self.open.items())
        for first in range(0, len(orders), _BATCH):
            batch = marshal.dumps(orders[first : first + _BATCH])
            run.write(_LENGTH.pack(len(batch)) + batch)
        self._runs.append(run)
        self.open.clear()

    def _merged(self) -> Iterator[tuple[str, Sums]]:
        """Every order once, sorted by its id."""
        written = [_read_back(run, number) for number, run in enumerate(self._runs)]
        still_open = ((order_id, -1, sums) for order_id, sums in sorted(self.open.items()))
        for order_id, same in groupby(heapq.merge(*written, still_open), key=itemgetter(0)):
            first, *more = (sums for _, _, sums in same)
            yield order_id, _joined(first, *more) if more else first

    def payments(self, amounts: Amounts) -> Iterator[CustomerPayment]:
        """The payments by order id, refunds behind payments; those of nothing are left out. One pass at a time."""
        for order_id, sums in self._merged():
            for (kind, marketplace), group in sorted(self._by_payment(sums).items()):
                if total := sum(one.minor for one in group):
                    yield CustomerPayment(
                        order_id=order_id,
                        kind=kind,
                        marketplace=marketplace,
                        amount=amounts.major(total),
                        parts=_summed(amounts, [(one.part.category, one.minor) for one in group]),
                        shipments=_summed(amounts, [(one.shipment, one.minor) for one in group]),
                        row=min(one.row for one in group),
                    )

    def _by_payment(self, sums: Sums) -> dict[_Payment, list[_Sum]]:
        found: dict[_Payment, list[_Sum]] = {}
        for key, one in sums.items():
            part = self._parts[key[0]]
            found.setdefault(part[:2], []).append(_Sum(part, key[1:], one >> ROW_BITS, one & _ROW))
        return found

    def survey(self, amounts: Amounts) -> tuple[tuple[PaymentTotal, ...], Withheld]:
        """Totals by kind and marketplace, and how withheld tax nets."""
        payment_of: dict[str, _Payment] = {mark: part[:2] for mark, part in self._parts.items()}
        totals: dict[_Payment, list[int]] = {payment: [0, 0] for payment in payment_of.values()}
        withheld = {mark for mark, part in self._parts.items() if part.category in WITHHELD}
        tax = _TaxTally()
        for _, sums in self._merged():
            of_order: dict[_Payment, int] = {}
            for key, one in sums.items():
                payment = payment_of[key[0]]
                of_order[payment] = of_order.get(payment, 0) + (one >> ROW_BITS)
            for payment, minor in of_order.items():
                if minor:
                    totals[payment][0] += minor
                    totals[payment][1] += 1
            if withheld and any(key[0] in withheld for key in sums):
                tax.add(self._by_payment(sums))
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
        for group in payments.values():
            withheld = [one.minor for one in group if one.part.category in WITHHELD]
            if not withheld:
                continue
            collected = sum(one.minor for one in group if one.part.tax)
            self._orders += 1
            self._collected += collected
            self._withheld += sum(withheld)
            if collected + sum(withheld):
                self._odd += 1
                self._rows = sorted((*self._rows, min(one.row for one in group)))[:_SHOWN_ROWS]

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


def _joined(*several: Sums) -> Sums:
    """Sums of one order from several runs, each part and shipment once."""
    joined: Sums = {}
    for key, one in chain.from_iterable(sums.items() for sums in several):
        known = joined.get(key)
        if known is None:
            joined[key] = one
        else:
            joined[key] = packed((known >> ROW_BITS) + (one >> ROW_BITS), min(known & _ROW, one & _ROW))
    return joined


def _read_back(run: BinaryIO, number: int) -> Iterator[tuple[str, int, Sums]]:
    run.seek(0)
    while length := run.read(_LENGTH.size):
        batch = run.read(_LENGTH.unpack(length)[0])
        for order_id, sums in marshal.loads(batch):  # noqa: S302 - this very process has written it
            yield order_id, number, sums
