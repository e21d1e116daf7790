"""Parts of Amazon's transactions that every reader of them needs (Finances 2024-06-19).

Each reader names the fields of a transaction that it cannot do without; here is what they share.
"""

from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

DEFERRED_TRANSACTION_ID: Final = "DEFERRED_TRANSACTION_ID"
"""Name of the related identifier by which a released transaction names the deferred one (model `RelatedIdentifier`)."""


class FinanceWire(BaseModel):
    """Base of what Amazon sends; fields nobody needs are passed over, and no value stands in an error."""

    model_config = ConfigDict(
        extra="ignore", alias_generator=to_camel, frozen=True, hide_input_in_errors=True
    )


class Currency(FinanceWire):
    """An amount; Amazon leaves either part out at times."""

    currency_code: str | None = None
    currency_amount: Decimal | None = None


class Breakdown(FinanceWire):
    """A named amount; it repeats the sum of its children."""

    breakdown_type: str | None = None
    breakdown_amount: Currency | None = None
    breakdowns: tuple["Breakdown", ...] | None = None


class Related(FinanceWire):
    """What a transaction is about."""

    related_identifier_name: str | None = None
    related_identifier_value: str | None = None


class MarketplaceDetails(FinanceWire):
    """Where it happened, by name ("Amazon.de")."""

    marketplace_name: str | None = None
