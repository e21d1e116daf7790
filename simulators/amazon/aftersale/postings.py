"""What Amazon books for an order: each shipment, each refund, each reimbursement, and from when on it counts.

A shipment counts when it is sent, a refund when it happens; what is deferred counts when it is released. Inferred: that
an order without a record of its shipments was sent when it was last changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from simulators.amazon.aftersale.amounts import Groups, currency_of, given_back, rounded, sold, total
from simulators.amazon.aftersale.events import AfterSale, events_of, item_of, number_of
from simulators.amazon.clock import to_ms
from simulators.amazon.prices import amount_of
from simulators.amazon.record import OrderRecord, fulfilled
from simulators.amazon.wire import JsonObject

_REFUNDS = {"CHARGEBACK": "Chargeback Refund", "A_TO_Z": "A-to-z Guarantee Refund"}


@dataclass(frozen=True)
class Part:
    """So many units of one order line in a posting."""

    item: JsonObject
    units: int
    groups: Groups


@dataclass(frozen=True)
class Posting:
    """One shipment or refund. deferral: why it does not count at once (DD7, B2B), empty if it does.

    row_type: what the settlement calls it; the Finances API calls chargebacks and claims Refund. released_ms: when a
    deferred one began to count, None while it does not.
    """

    record: OrderRecord
    kind: str
    row_type: str
    about: tuple[object, ...]
    parts: tuple[Part, ...]
    at_ms: int
    told_ms: int
    shipment_id: str = ""
    deferral: str = ""
    released_ms: int | None = None
    released_told_ms: int | None = None

    @property
    def transaction_id(self) -> str:
        """The Finances API's name for it."""
        return f"{number_of(self.record.order_id, *self.about):x}"

    @property
    def counting_id(self) -> str:
        """The transaction by which its money counts: its own, or the one that releases it."""
        if not self.deferral:
            return self.transaction_id
        return f"{number_of(self.record.order_id, *self.about, 'released'):x}"

    @property
    def currency(self) -> str:
        """The currency of all its amounts."""
        return currency_of(self.parts[0].item)

    @property
    def total(self) -> Decimal:
        """What it comes to, fees and all."""
        return sum((total(part.groups) for part in self.parts), Decimal(0))

    def counts_ms(self, by_ms: int) -> int | None:
        """The moment from which its money counts, if that has come and been told by then."""
        at_ms, told_ms = (
            (self.released_ms, self.released_told_ms) if self.deferral else (self.at_ms, self.told_ms)
        )
        return at_ms if at_ms is not None and max(at_ms, told_ms or 0) <= by_ms else None


def postings_of(record: OrderRecord) -> Iterator[Posting]:
    """The order's shipments and refunds, oldest first within each kind; nothing is booked for a line without price."""
    yield from _shipments(record)
    for event in events_of(record, "refund"):
        if item_of(record, event).get("proceeds"):
            yield refund_of(record, event)


def refund_of(record: OrderRecord, event: AfterSale) -> Posting:
    """A refund as it is booked."""
    item = item_of(record, event)
    groups = given_back(record, item, event.units, event.share, shipping=event.shipping)
    release = next((each for each in events_of(record, "release") if each.number == event.number), None)
    return Posting(
        record=record,
        kind="Refund",
        row_type=_REFUNDS.get(event.reason, "Refund"),
        about=("refund", event.number),
        parts=(Part(item, event.units, groups),),
        at_ms=event.at_ms,
        told_ms=event.told_ms,
        deferral="DD7" if event.deferred else "",
        released_ms=release.at_ms if release else None,
        released_told_ms=release.told_ms if release else None,
    )


def _shipments(record: OrderRecord) -> Iterator[Posting]:
    deferred = next(iter(events_of(record, "defer")), None)
    mature = next(iter(events_of(record, "mature")), None)
    done: dict[str, int] = {}
    for number, (name, at_ms, wanted) in enumerate(_sent(record)):
        parts = []
        for item in record.items:
            before = done.get(item["orderItemId"], 0)
            units = min(wanted.get(item["orderItemId"], 0), fulfilled(item) - before)
            if units > 0 and item.get("proceeds"):  # what is sent again was paid for once
                done[item["orderItemId"]] = before + units
                parts.append(Part(item, units, sold(record, item, before, units)))
        if parts:
            yield Posting(
                record=record,
                kind="Shipment",
                row_type="Order",
                about=("shipment", number),
                parts=tuple(parts),
                at_ms=at_ms,
                told_ms=at_ms,
                shipment_id=name,
                deferral=(deferred.reason if deferred.reason == "B2B" else "DD7") if deferred else "",
                released_ms=mature.at_ms if mature else None,
                released_told_ms=mature.told_ms if mature else None,
            )


def _sent(record: OrderRecord) -> Iterator[tuple[str, int, dict[str, int]]]:
    """Name, moment and units of every shipment; last what was sent without a record of it."""
    left = {item["orderItemId"]: fulfilled(item) for item in record.items}
    known = [(shipment.shipment_id, shipment.shipped_ms, shipment.items) for shipment in record.shipments]
    for package in record.packages if not record.by_amazon else ():
        units = {part["orderItemId"]: int(part["quantity"]) for part in package.get("packageItems", [])}
        name = f"M{number_of(record.order_id, package.get('packageReferenceId', '1')):x}"[:9]
        created = package.get("createdTime")
        known.append((name, to_ms(str(created)) if created else record.updated_ms, units))
    for name, at_ms, units in known:
        for item_id, count in units.items():
            left[item_id] = left.get(item_id, 0) - count
        yield name, at_ms, units
    rest = {item_id: count for item_id, count in left.items() if count > 0}
    if rest:
        yield f"B{number_of(record.order_id, 'sent'):x}"[:9], record.updated_ms, rest


def reimbursed(record: OrderRecord, event: AfterSale) -> tuple[Decimal, str]:
    """What Amazon pays for lost or damaged goods, and the currency (empty without a price)."""
    item = item_of(record, event)
    priced = (item.get("proceeds") or {}).get("proceedsTotal")
    if event.amount is not None:
        return event.amount, str(priced["currencyCode"]) if priced else ""
    if not priced:
        return Decimal(0), ""
    price = amount_of(priced) / max(int(item["quantityOrdered"]), 1)
    currency = str(priced["currencyCode"])
    return rounded(price * event.units, currency), currency
