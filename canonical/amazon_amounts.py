"""What a line costs, read from Amazon's breakdowns by arithmetic, because no flag says whether tax is inside.

Orders 2026-01-01, `ItemProceeds`: breakdown types ITEM, SHIPPING, GIFT_WRAP, COD_FEE, OTHER, TAX, DISCOUNT
and a `proceedsTotal`. The rules, in this order:

1. All breakdowns with tax make the total: tax comes on top (`tax_included` False where a TAX row exists).
2. All breakdowns without tax make the total: tax is inside the amounts (`tax_included` True). Where Amazon
   collects the tax and the marketplace shows net prices, it is not inside but beside the total: Amazon kept
   it, so it is not recorded at all.
3. Neither: the line is inconsistent and carries no amounts.

DISCOUNT counts negative whatever its sign. A total without breakdowns is read as the item price only where
it is zero or equals unit price times quantity; any other total may hide shipping or tax, and stays unknown.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from canonical.order import LineAmounts, TaxParts

_ZERO: Final = Decimal(0)
_NAMED: Final = {"ITEM": "item", "SHIPPING": "shipping", "GIFT_WRAP": "gift_wrap", "DISCOUNT": "discount"}


class Breakdown(NamedTuple):
    """One proceeds breakdown of an order item, in major units of the order's currency."""

    type: str
    amount: Decimal
    details: Mapping[str, Decimal] = {}
    """Amount by subtype; Amazon gives it for TAX and DISCOUNT only."""


class LineProceeds(NamedTuple):
    """Everything Amazon says about the money of one line."""

    total: Decimal | None
    breakdowns: tuple[Breakdown, ...]
    unit_price: Decimal | None
    quantity: int
    tax_collected_by_amazon: bool
    prices_include_tax: bool
    """Of the marketplace: see `canonical.marketplaces`."""


class InconsistentAmounts(ValueError):  # noqa: N818 - it is Amazon's figures that err
    """The breakdowns make the total neither with nor without tax. The text is the sentence for the order."""


def line_amounts(proceeds: LineProceeds) -> LineAmounts | None:
    """The line's amounts, None where Amazon has not told enough to know them.

    Raises:
        InconsistentAmounts: the breakdowns cannot make the total.
    """
    if proceeds.total is None:
        return None
    if not proceeds.breakdowns:
        return _from_unit_price(proceeds)
    sums = {"item": _ZERO, "shipping": _ZERO, "gift_wrap": _ZERO, "other": _ZERO, "discount": _ZERO}
    tax, has_tax, details = _ZERO, False, dict[str, Decimal]()
    for row in proceeds.breakdowns:
        if row.type == "TAX":
            tax, has_tax = tax + row.amount, True
            for subtype, value in row.details.items():
                details[subtype] = details.get(subtype, _ZERO) + value
        elif row.type == "DISCOUNT":
            sums["discount"] -= abs(row.amount)
        else:
            sums[_NAMED.get(row.type, "other")] += row.amount
    without_tax = sum(sums.values(), _ZERO)
    if has_tax and tax and without_tax + tax == proceeds.total:
        included = False
    elif without_tax == proceeds.total:
        included = True
        if proceeds.tax_collected_by_amazon and not proceeds.prices_include_tax:
            tax, details = _ZERO, {}
    else:
        raise InconsistentAmounts(
            f"the breakdowns make {without_tax + tax} with tax and {without_tax} without, "
            f"but proceedsTotal is {proceeds.total}"
        )
    return LineAmounts(
        **sums, tax=tax, tax_included=included, tax_parts=_tax_parts(tax, details), total=proceeds.total
    )


def _from_unit_price(proceeds: LineProceeds) -> LineAmounts | None:
    total, unit = proceeds.total, proceeds.unit_price
    if total is None or (total != 0 and (unit is None or unit * proceeds.quantity != total)):
        return None
    return LineAmounts(item=total, total=total)


def _tax_parts(tax: Decimal, details: Mapping[str, Decimal]) -> TaxParts | None:
    """The tax by amount, believed only where it makes the whole tax; the discount's sign is not told."""
    if not tax or not details:
        return None
    for as_negative in (True, False):
        parts: dict[str, Decimal] = {}
        for subtype, value in details.items():
            signed = -abs(value) if as_negative and subtype == "DISCOUNT" else value
            name = _NAMED.get(subtype, "other")
            parts[name] = parts.get(name, _ZERO) + signed
        if sum(parts.values(), _ZERO) == tax:
            return TaxParts(**parts)
    return None


def check_grand_total(
    grand_total: Decimal, tip: Decimal, lines: Iterable[tuple[int, Decimal | None]]
) -> tuple[Decimal, str]:
    """The tip that `grand_total` contains, and a sentence where it is not the sum of the lines.

    `lines` are (quantity ordered, proceedsTotal). Cancelled lines (quantity 0) may or may not be counted by
    Amazon; both are accepted. Unknown line totals leave nothing to compare.
    """
    known = [(quantity, total) for quantity, total in lines if total is not None or quantity > 0]
    if not known or any(total is None for _, total in known):
        return _ZERO, ""
    whole = sum((total for _, total in known if total is not None), _ZERO)
    alive = sum((total for quantity, total in known if total is not None and quantity > 0), _ZERO)
    for expected in (whole, alive):
        if grand_total == expected:
            return _ZERO, ""
        if tip and grand_total == expected + tip:
            return tip, ""
    return _ZERO, f"the lines make {whole}, but grandTotal is {grand_total}"
