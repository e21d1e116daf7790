"""Amounts and quantities: rounding as M3 rounds, and how they are written in replies."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from simulators.catalogue import LOCAL_CURRENCY
from simulators.m3.site_tables import RATES_TO_LOCAL

CENT = Decimal("0.01")
WITHOUT_DECIMALS = frozenset({"JPY"})


def rounded(amount: Decimal, cucd: str = LOCAL_CURRENCY) -> Decimal:
    """Commercially rounded to the decimals of the currency (CRS055): none for yen, else two."""
    unit = Decimal(1) if cucd in WITHOUT_DECIMALS else CENT
    return amount.quantize(unit, ROUND_HALF_UP)


def net_of(gross: Decimal, vat_percent: Decimal, cucd: str = LOCAL_CURRENCY) -> Decimal:
    """What is left of a gross amount without the VAT inside it."""
    return rounded(gross * 100 / (100 + vat_percent), cucd)


def rate_of(cucd: str) -> Decimal:
    """Worth of one unit of the currency in the division's own. KeyError if the site does not know it."""
    return Decimal(RATES_TO_LOCAL[cucd])


def amount_text(amount: Decimal) -> str:
    """An amount as M3 writes it: two decimals at least, point, leading minus."""
    exact = amount if amount.as_tuple().exponent <= -2 else amount.quantize(CENT)  # type: ignore[operator]
    return f"{exact:f}"


def quantity_text(quantity: Decimal) -> str:
    """A quantity as M3 writes it: six decimals."""
    return f"{quantity:.6f}"
