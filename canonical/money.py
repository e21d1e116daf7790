"""Money: a Decimal with its currency. Nothing is rounded silently."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict

_WITHOUT_DECIMALS: Final = frozenset({"JPY", "KRW", "CLP", "VND", "ISK"})
"""ISO 4217 currencies with no minor unit that Amazon or M3 may meet."""


def currency_decimals(currency: str) -> int:
    """How many decimals an amount of this currency has (ISO 4217)."""
    return 0 if currency in _WITHOUT_DECIMALS else 2


def round_to_currency(amount: Decimal, currency: str) -> Decimal:
    """The amount as a ledger would hold it, half a cent away from zero, as M3 rounds line amounts."""
    return amount.quantize(Decimal(1).scaleb(-currency_decimals(currency)), rounding=ROUND_HALF_UP)


class Money(BaseModel):
    """An amount in major units of `currency` (ISO 4217)."""

    model_config = ConfigDict(frozen=True)

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
