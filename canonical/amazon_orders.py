"""Amazon's order payload (Orders 2026-01-01) read into an `Order`."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from canonical.amazon_amounts import (
    Breakdown,
    InconsistentAmounts,
    LineProceeds,
    check_grand_total,
    line_amounts,
)
from canonical.amazon_wire import WireAddress, WireBreakdown, WireItem, WireOrder, WireOrderFulfillment
from canonical.ids import is_amazon_order_id
from canonical.marketplaces import NON_AMAZON, by_sales_channel, prices_include_tax
from canonical.money import Money
from canonical.order import Address, Channel, LineAmounts, Order, OrderLine, OrderStatus

_REPLACEMENT: Final = frozenset({"REPLACEMENT_ORIGINAL_ID", "EXCHANGE_ORIGINAL_ID"})
_CHANNELS: Final = {"AMAZON": Channel.FBA, "MERCHANT": Channel.MFN}


class UnreadableOrder(ValueError):  # noqa: N818 - the operator reads it as what it is
    """A payload is no order this service can read. The text names the field and never repeats its content."""


def read_order(payload: Mapping[str, object], seller_id: str) -> Order:
    """An order from getOrder or searchOrders; the envelope ``{"order": {...}}`` is taken as well as the bare
    order.

    Amounts that do not add up do not make the order unreadable: they stay None and `Order.inconsistency`
    says why.

    Raises:
        UnreadableOrder: a field the order cannot do without is missing or malformed.
    """
    inner = payload.get("order")
    body: Mapping[str, object] = inner if isinstance(inner, Mapping) and "orderId" not in payload else payload
    try:
        wire = WireOrder.model_validate(body)
    except ValidationError as error:
        raise UnreadableOrder(_sentence(body, error)) from None
    return _Reader(wire, seller_id).read()


def _sentence(body: Mapping[str, object], error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    trouble = (
        "is missing" if first["type"] == "missing" else first["msg"].replace("Input should be", "should be")
    )
    return f"{_order_name(body.get('orderId'))} cannot be read: field {field} {trouble}."


def _order_name(order_id: object) -> str:
    """The order id where it has the form of one: anything else might be personal data in the wrong place."""
    named = isinstance(order_id, str) and is_amazon_order_id(order_id)
    return f"Amazon order {order_id}" if named else "An Amazon order without a valid orderId"


class _Reader:
    """One payload being read; gathers what does not add up."""

    def __init__(self, wire: WireOrder, seller_id: str) -> None:
        self._wire = wire
        self._seller_id = seller_id
        self._currencies: set[str] = set()
        self._inconsistencies: list[str] = []
        self._marketplace_id = self._read_marketplace()

    def read(self) -> Order:
        wire, fulfilment = self._wire, self._wire.fulfillment
        lines = tuple(self._line(item) for item in wire.order_items)
        grand_total, tip = self._totals()
        window = fulfilment.ship_by_window
        address = wire.recipient.delivery_address if wire.recipient else None
        return Order(
            seller_id=self._seller_id,
            order_id=wire.order_id,
            marketplace_id=self._marketplace_id,
            sales_channel=wire.sales_channel.channel_name,
            channel=self._channel(fulfilment),
            status=self._status(fulfilment),
            created=wire.created_time,
            last_updated=wire.last_updated_time,
            grand_total=grand_total,
            lines=lines,
            ship_to=_address(address) if address else None,
            replacement_of=self._replacement_of(),
            ship_by=window.latest_date_time if window else None,
            service_level=fulfilment.fulfillment_service_level or "",
            delivery_tip=tip,
            inconsistency=" ".join(self._inconsistencies),
        )

    def _unreadable(self, problem: str) -> UnreadableOrder:
        return UnreadableOrder(f"{_order_name(self._wire.order_id)} cannot be read: {problem}.")

    def _read_marketplace(self) -> str:
        channel = self._wire.sales_channel
        if channel.marketplace_id:
            return channel.marketplace_id
        known = by_sales_channel(channel.marketplace_name or "")
        if known:
            return known.id
        if channel.channel_name == NON_AMAZON:
            return ""
        raise self._unreadable("field salesChannel.marketplaceId is missing")

    def _status(self, fulfilment: WireOrderFulfillment) -> OrderStatus:
        try:
            return OrderStatus(fulfilment.fulfillment_status)
        except ValueError:
            raise self._unreadable("field fulfillment.fulfillmentStatus has an unknown value") from None

    def _channel(self, fulfilment: WireOrderFulfillment) -> Channel:
        known = _CHANNELS.get(fulfilment.fulfilled_by or "")
        if known is not None:
            return known
        if self._wire.sales_channel.channel_name == NON_AMAZON:
            return Channel.FBA
        raise self._unreadable("field fulfillment.fulfilledBy is neither AMAZON nor MERCHANT")

    def _replacement_of(self) -> str | None:
        for associated in self._wire.associated_orders or ():
            if associated.association_type in _REPLACEMENT and associated.order_id:
                return associated.order_id
        return None

    def _line(self, item: WireItem) -> OrderLine:
        product, fulfilment = item.product, item.fulfillment
        collections = (item.tax.tax_collections if item.tax else None) or ()
        by_amazon = any(collection.model == "MARKETPLACE_FACILITATOR" for collection in collections)
        request = item.cancellation.cancellation_request if item.cancellation else None
        return OrderLine(
            order_item_id=item.order_item_id,
            seller_sku=product.seller_sku or "",
            asin=product.asin or "",
            title=product.title or "",
            quantity=item.quantity_ordered,
            quantity_fulfilled=(fulfilment.quantity_fulfilled or 0) if fulfilment else 0,
            amounts=self._amounts(item, by_amazon=by_amazon),
            tax_collected_by_amazon=by_amazon,
            cancel_requested=bool(request),
        )

    def _amounts(self, item: WireItem, *, by_amazon: bool) -> LineAmounts | None:
        if item.proceeds is None:
            return None
        total, rows = item.proceeds.proceeds_total, item.proceeds.breakdowns or ()
        self._currencies.update(row.subtotal.currency_code for row in rows)
        if total:
            self._currencies.add(total.currency_code)
        price = item.product.price.unit_price if item.product.price else None
        proceeds = LineProceeds(
            total=total.amount if total else None,
            breakdowns=tuple(_breakdown(row) for row in rows),
            unit_price=price.amount if price else None,
            quantity=item.quantity_ordered,
            tax_collected_by_amazon=by_amazon,
            prices_include_tax=prices_include_tax(self._marketplace_id),
        )
        try:
            return line_amounts(proceeds)
        except InconsistentAmounts as trouble:
            self._inconsistencies.append(f"In order item {item.order_item_id} {trouble}.")
            return None

    def _totals(self) -> tuple[Money | None, Decimal]:
        """grandTotal, or the sum of the lines where only they are told; and the tip inside it."""
        proceeds = self._wire.proceeds
        grand = proceeds.grand_total if proceeds else None
        if grand:
            self._currencies.add(grand.currency_code)
        if len(self._currencies) > 1:
            names = ", ".join(sorted(self._currencies))
            self._inconsistencies.append(f"The order mixes the currencies {names}.")
        totals = [(item.quantity_ordered, _line_total(item)) for item in self._wire.order_items]
        if grand is None:
            known = [total for _, total in totals if total is not None]
            if not known or len(known) < len(totals) or len(self._currencies) != 1:
                return None, Decimal(0)
            return Money(amount=sum(known, Decimal(0)), currency=next(iter(self._currencies))), Decimal(0)
        rows = (proceeds.breakdowns if proceeds else None) or ()
        tip = sum((row.subtotal.amount for row in rows if row.type == "DELIVERY_TIP"), Decimal(0))
        tip, trouble = check_grand_total(grand.amount, tip, totals)
        if trouble:
            self._inconsistencies.append(f"In the order {trouble}.")
        return Money(amount=grand.amount, currency=grand.currency_code), tip


def _line_total(item: WireItem) -> Decimal | None:
    total = item.proceeds.proceeds_total if item.proceeds else None
    return total.amount if total else None


def _breakdown(row: WireBreakdown) -> Breakdown:
    details: dict[str, Decimal] = {}
    for detail in row.detailed_breakdowns or ():
        if detail.subtype and detail.value:
            details[detail.subtype] = details.get(detail.subtype, Decimal(0)) + detail.value.amount
    return Breakdown(row.type, row.subtotal.amount, details)


def _address(wire: WireAddress) -> Address:
    """Amazon's address uncut; municipality and Brazil's neighbourhood join the district."""
    lines = (wire.address_line1, wire.address_line2, wire.address_line3)
    neighbourhood = wire.extended_fields.neighborhood if wire.extended_fields else None
    return Address(
        name=_clean(wire.name),
        company=_clean(wire.company_name),
        lines=tuple(text for text in map(_clean, lines) if text),
        city=_clean(wire.city),
        district=_distinct((neighbourhood, wire.district_or_county, wire.municipality)),
        state=_clean(wire.state_or_region),
        postal_code=_clean(wire.postal_code),
        country=_clean(wire.country_code).upper(),
        phone=_clean(wire.phone),
    )


def _clean(text: str | None) -> str:
    return " ".join((text or "").split())


def _distinct(texts: Iterable[str | None]) -> str:
    """The texts without repetition, one after the other."""
    seen: dict[str, str] = {}
    for text in map(_clean, texts):
        if text:
            seen.setdefault(text.casefold(), text)
    return ", ".join(seen.values())
