"""A line's amounts as M3 must hear them: with or without tax, by the price basis of the order type.

Tax that Amazon collects (marketplace facilitator) is Amazon's to remit: it is taken out and never reaches M3.
Tax of our own is put into the amounts where M3 expects gross prices, and taken out where it expects net ones.

Which part of the tax belongs to which amount: by Amazon's detailed breakdown where it is given, else in
proportion to the amounts, each share rounded to the currency and the remainder on the item.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from canonical.money import round_to_currency
from canonical.order import LineAmounts, OrderLine, TaxParts
from canonical.profile import PriceBasis

_ZERO: Final = Decimal(0)


class PriceParts(NamedTuple):
    """One line's amounts for M3, in major units; `discount` is never positive for an ordinary order."""

    item: Decimal
    shipping: Decimal
    gift_wrap: Decimal
    other: Decimal
    discount: Decimal


def price_parts(line: OrderLine, amounts: LineAmounts, basis: PriceBasis, currency: str) -> PriceParts:
    """The amounts M3 gets for this line. Their sum is the line's total, less the tax M3 does not get."""
    parts = PriceParts(amounts.item, amounts.shipping, amounts.gift_wrap, amounts.other, amounts.discount)
    sign = _tax_sign(amounts, basis, by_amazon=line.tax_collected_by_amazon)
    if not sign or not amounts.tax:
        return parts
    tax = amounts.tax_parts or _proportional(amounts, currency)
    return PriceParts(
        item=parts.item + sign * tax.item,
        shipping=parts.shipping + sign * tax.shipping,
        gift_wrap=parts.gift_wrap + sign * tax.gift_wrap,
        other=parts.other + sign * tax.other,
        discount=parts.discount + sign * tax.discount,
    )


def expected_of(line: OrderLine, amounts: LineAmounts) -> Decimal:
    """What M3's order must be worth for this line, tax included: the total without tax that Amazon keeps."""
    return amounts.total - (amounts.tax if line.tax_collected_by_amazon else _ZERO)


def _tax_sign(amounts: LineAmounts, basis: PriceBasis, *, by_amazon: bool) -> int:
    """-1: take the tax out of the amounts; +1: put it in; 0: leave them."""
    gross_wanted = basis is PriceBasis.GROSS and not by_amazon
    if amounts.tax_included:
        return 0 if gross_wanted else -1
    return 1 if gross_wanted else 0


def _proportional(amounts: LineAmounts, currency: str) -> TaxParts:
    whole = amounts.before_tax_on_top
    if not whole:
        return TaxParts(item=amounts.tax)

    def share(amount: Decimal) -> Decimal:
        return round_to_currency(amounts.tax * amount / whole, currency)

    shipping, gift_wrap = share(amounts.shipping), share(amounts.gift_wrap)
    other, discount = share(amounts.other), share(amounts.discount)
    item = amounts.tax - shipping - gift_wrap - other - discount
    return TaxParts(item=item, shipping=shipping, gift_wrap=gift_wrap, other=other, discount=discount)
