"""The M3 order an Amazon order becomes: head, address, lines and charges.

Sources: OIS100MI.AddBatchHead, AddBatchAddress, AddBatchLine, AddBatchHeadChg. Promotions are a negative
charge, so that they stay visible; shipping, gift wrap and other fees are charges of the order head, one per
charge id.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from canonical.address import order_address
from canonical.held import HeldReason, Hold, OrderHeld, held
from canonical.ids import customer_order_number
from canonical.marketplaces import MARKETPLACES
from canonical.money import currency_decimals, round_to_currency
from canonical.order import Address, Channel, Order, OrderLine
from canonical.order_facts import expected_total, order_currency
from canonical.order_plan import PlannedCharge, PlannedHead, PlannedLine, SalesOrderPlan
from canonical.price_parts import PriceParts, price_parts
from canonical.profile import MarketplaceProfile, PriceBasis

_ZERO: Final = Decimal(0)


class NothingToBook(ValueError):  # noqa: N818 - no error of the program
    """The order has nothing to book: every line is cancelled, or it is no marketplace sale."""


def plan_sales_order(
    order: Order,
    profile: MarketplaceProfile,
    items: dict[str, str],
    cuno: str,
    address: Address | None = None,
) -> SalesOrderPlan:
    """The M3 order for an Amazon order. `items` is ITNO by SellerSKU, `address` the corrected one if a
    person sent one.

    Raises:
        NothingToBook: no line with goods is left, or the order is no marketplace sale.
        OrderHeld: unmapped_sku, order_incomplete, amounts_inconsistent, not_configured, address_does_not_fit.
    """
    return _Planning(order, profile, items, cuno).plan(address)


def planned_charges(order: Order, profile: MarketplaceProfile) -> tuple[PlannedCharge, ...]:
    """The charges of the order head alone; every line must have its price."""
    planning = _Planning(order, profile, {}, "")
    return planning.charges()


class _Planning:
    """One order being turned into M3's terms."""

    def __init__(self, order: Order, profile: MarketplaceProfile, items: dict[str, str], cuno: str) -> None:
        self._order = order
        self._profile = profile
        self._items = items
        self._cuno = cuno
        self._goods = [line for line in order.lines if line.quantity > 0]
        fba = order.channel is Channel.FBA
        self._fba = fba
        self._whlo = profile.warehouse_fba if fba else profile.warehouse_mfn
        self._ortp = profile.order_type_fba if fba else profile.order_type_mfn

    def plan(self, address: Address | None) -> SalesOrderPlan:
        self._check_bookable()
        parts = [self._parts(line) for line in self._goods]
        if not any(part.item for part in parts):
            self._ortp = self._free_order_type()
        elif not all(part.item for part in parts):
            raise self._held(
                HeldReason.NOT_CONFIGURED,
                "has a line free of charge beside paid ones; M3 would take a price of 0 from its price list.",
            )
        else:
            self._ortp = self._taxed_order_type()
        total = expected_total(self._order)
        if total is None:
            raise self._held(HeldReason.ORDER_INCOMPLETE, "has no prices yet.")
        return SalesOrderPlan(
            head=self._head(),
            address=order_address(self._order, self._profile, address),
            lines=tuple(
                self._line(number, line, part)
                for number, (line, part) in enumerate(zip(self._goods, parts, strict=True), 1)
            ),
            charges=self._charges(parts),
            expected_total=total,
        )

    def charges(self) -> tuple[PlannedCharge, ...]:
        return self._charges([self._parts(line) for line in self._goods])

    def _held(self, reason: HeldReason, trouble: str) -> OrderHeld:
        return held(reason, f"Amazon order {self._order.order_id} {trouble}")

    def _check_bookable(self) -> None:
        order = self._order
        if order.is_multi_channel:
            raise NothingToBook(
                f"Amazon order {order.order_id} is a multi-channel order, no marketplace sale."
            )
        if not self._goods:
            raise NothingToBook(f"Amazon order {order.order_id} has no line with goods left.")
        if order.inconsistency:
            raise self._held(HeldReason.AMOUNTS_INCONSISTENT, f"does not add up: {order.inconsistency}")
        unmapped = tuple(
            sorted({line.seller_sku for line in self._goods if not self._items.get(line.seller_sku)})
        )
        if unmapped:
            names = ", ".join(unmapped)
            sentence = f"M3 knows no item for SellerSKU {names} of Amazon order {order.order_id}."
            raise OrderHeld(Hold(reason=HeldReason.UNMAPPED_SKU, sentence=sentence, skus=unmapped))

    def _free_order_type(self) -> str:
        free = self._profile.order_type_replacement
        if free is None:
            raise self._held(
                HeldReason.NOT_CONFIGURED,
                "is free of charge, and order_type_replacement is not configured for its marketplace.",
            )
        return free

    def _taxed_order_type(self) -> str:
        """The order type, or the one without VAT where Amazon keeps the tax of prices meant to include it."""
        by_amazon = [line.tax_collected_by_amazon for line in self._goods]
        if self._profile.price_basis is not PriceBasis.GROSS or not any(by_amazon):
            return self._ortp
        without_vat = self._profile.order_type_tax_by_amazon
        if without_vat is None:
            raise self._held(
                HeldReason.NOT_CONFIGURED,
                "has tax that Amazon remits, and order_type_tax_by_amazon is not configured for its marketplace.",
            )
        if not all(by_amazon):
            raise self._held(
                HeldReason.NOT_CONFIGURED,
                "has lines whose tax Amazon remits beside lines whose tax it does not; one M3 order cannot hold both.",
            )
        return without_vat

    def _warehouse(self, line: OrderLine) -> str:
        """Where the line's goods leave from, or left from before M3 knew the order."""
        if self._fba or line.quantity_fulfilled == 0:
            return self._whlo
        shipped = self._profile.warehouse_shipped
        if shipped is None:
            raise self._held(
                HeldReason.NOT_CONFIGURED,
                "was shipped before M3 knew it, and warehouse_shipped is not configured for its marketplace: "
                "the own warehouse would send the goods again.",
            )
        if line.quantity_fulfilled < line.quantity:
            raise self._held(
                HeldReason.NOT_CONFIGURED,
                f"was shipped in part before M3 knew it ({line.quantity_fulfilled} of {line.quantity} pieces of "
                f"order item {line.order_item_id}); enter it in M3 by hand and mark the step done.",
            )
        return shipped

    def _parts(self, line: OrderLine) -> PriceParts:
        if self._order.is_replacement:
            return PriceParts(_ZERO, _ZERO, _ZERO, _ZERO, _ZERO)
        amounts = line.amounts
        if amounts is None:
            raise self._held(
                HeldReason.ORDER_INCOMPLETE, f"has no price for order item {line.order_item_id} yet."
            )
        if not amounts.adds_up:
            trouble = (
                f"does not add up: the amounts of order item {line.order_item_id} do not make its total."
            )
            raise self._held(HeldReason.AMOUNTS_INCONSISTENT, trouble)
        return price_parts(line, amounts, self._profile.price_basis, order_currency(self._order))

    def _head(self) -> PlannedHead:
        order, marketplace = self._order, MARKETPLACES.get(self._order.marketplace_id)
        own = order.channel is Channel.MFN
        return PlannedHead(
            cuno=self._cuno,
            ortp=self._ortp,
            faci=self._profile.facility,
            whlo=self._whlo,
            cuor=customer_order_number(order.order_id),
            cucd=order_currency(order),
            ordt=_m3_date(order.created),
            rldt=_m3_date(order.ship_by) if own and order.ship_by else "",
            yref=order.replacement_of or "",
            oref=f"{marketplace.name if marketplace else 'Amazon'} {order.channel}",
        )

    def _line(self, number: int, line: OrderLine, part: PriceParts) -> PlannedLine:
        return PlannedLine(
            order_item_id=line.order_item_id,
            cupo=str(number),
            itno=self._items[line.seller_sku],
            quantity=line.quantity,
            sapr=self._price(line, part.item),
            whlo=self._warehouse(line),
            exhe=line.order_item_id if len(line.order_item_id) <= 36 else "",
            amount=part.item,
        )

    def _price(self, line: OrderLine, amount: Decimal) -> str:
        currency, decimals = order_currency(self._order), self._profile.price_decimals
        price = (amount / line.quantity).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
        if amount < 0 or round_to_currency(price * line.quantity, currency) != amount:
            raise self._held(
                HeldReason.AMOUNTS_INCONSISTENT,
                f"cannot be priced: {amount} {currency} for {line.quantity} pieces of order item "
                f"{line.order_item_id} cannot be said with a price of {decimals} decimals.",
            )
        shortest = price.quantize(Decimal(1).scaleb(-currency_decimals(currency)))
        return f"{shortest if shortest == price else price:f}"

    def _charges(self, parts: list[PriceParts]) -> tuple[PlannedCharge, ...]:
        codes = self._profile.charges
        wanted = (
            (codes.shipping, "shipping", sum((part.shipping for part in parts), _ZERO)),
            (codes.gift_wrap, "gift wrap", sum((part.gift_wrap for part in parts), _ZERO)),
            (codes.other, "fees", sum((part.other for part in parts), self._order.delivery_tip)),
            (codes.promotion, "promotion", sum((part.discount for part in parts), _ZERO)),
        )
        amounts: dict[str, Decimal] = {}
        texts: dict[str, list[str]] = {}
        for crid, text, amount in wanted:
            if amount:
                amounts[crid] = amounts.get(crid, _ZERO) + amount
                texts.setdefault(crid, []).append(text)
        return tuple(
            PlannedCharge(crid=crid, amount=amount, text=f"Amazon {', '.join(texts[crid])}"[:30])
            for crid, amount in amounts.items()
            if amount
        )


def _m3_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d")
