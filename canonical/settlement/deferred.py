"""Money that Amazon has booked and does not pay yet: deferred transactions (Finances 2024-06-19), by reason and day.

A deferred transaction is in no settlement. When it is released Amazon writes a second one, which is (model
`Transaction`, transactionStatus: DEFERRED until then, DEFERRED_RELEASED afterwards).
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from canonical.finance_wire import FinanceWire, MarketplaceDetails

_DEFERRED = "deferred"


class _Currency(FinanceWire):
    currency_code: str
    currency_amount: Decimal


class _Context(FinanceWire):
    context_type: str = ""
    deferral_reason: str | None = None
    maturity_date: AwareDatetime | None = None


class _Item(FinanceWire):
    contexts: tuple[_Context, ...] | None = None


class _Transaction(FinanceWire):
    transaction_status: str | None = None
    total_amount: _Currency
    marketplace_details: MarketplaceDetails | None = None
    contexts: tuple[_Context, ...] | None = None
    items: tuple[_Item, ...] | None = None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class DeferredShare(_Part):
    """Transactions of one marketplace and currency that are deferred for one reason to one day."""

    currency: str
    """ISO 4217."""
    marketplace: str
    """Amazon's name ("Amazon.de"); empty where it tells none."""
    reason: str
    """Amazon's word: DD7 (seven days from delivery), B2B (invoiced orders); empty where it tells none."""
    matures: date | None
    """Day of release in UTC; None where Amazon tells none."""
    amount: Decimal
    """What Amazon owes of it, fees taken off."""
    count: int


class Deferred(_Part):
    """All that Amazon holds back from a seller at a moment."""

    seller_id: str
    as_of: datetime
    since: datetime
    """Transactions posted from this moment on were looked at."""
    shares: tuple[DeferredShare, ...] = ()
    """Ordered by currency, marketplace, reason, day."""
    unread: int = 0
    """Deferred transactions that could not be read; they are in no sum."""

    def of(self, currency: str, marketplaces: frozenset[str]) -> "Deferred":
        """What is of this currency and these marketplaces; of all marketplaces where none is named."""
        shares = tuple(
            each
            for each in self.shares
            if each.currency == currency and (not marketplaces or each.marketplace in marketplaces)
        )
        return self.model_copy(update={"shares": shares})


class DeferredPage(_Part):
    """What one page of transactions tells."""

    shares: tuple[DeferredShare, ...] = ()
    unread: int = 0
    next_token: str = ""


def read_page(transactions: Iterable[Mapping[str, object]], next_token: str = "") -> DeferredPage:
    """The deferred ones among Amazon's transactions, summed."""
    shares: list[DeferredShare] = []
    unread = 0
    for payload in transactions:
        if str(payload.get("transactionStatus") or "").casefold() != _DEFERRED:
            continue
        try:
            shares.append(_share(_Transaction.model_validate(payload)))
        except ValidationError:
            unread += 1
    return DeferredPage(shares=joined(shares), unread=unread, next_token=next_token)


def joined(shares: Iterable[DeferredShare]) -> tuple[DeferredShare, ...]:
    """The shares, those of the same currency, marketplace, reason and day as one."""
    sums: dict[tuple[str, str, str, date], tuple[Decimal, int, date | None]] = {}
    for each in shares:
        key = each.currency, each.marketplace, each.reason, each.matures or date.max
        amount, count, _ = sums.get(key, (each.amount - each.amount, 0, None))
        sums[key] = amount + each.amount, count + each.count, each.matures
    return tuple(
        DeferredShare(
            currency=currency, marketplace=marketplace, reason=reason, matures=matures, amount=amount, count=count
        )
        for (currency, marketplace, reason, _), (amount, count, matures) in sorted(sums.items())
    )  # fmt: skip


def _share(transaction: _Transaction) -> DeferredShare:
    own = transaction.contexts or ()
    of_items = (context for item in transaction.items or () for context in item.contexts or ())
    told = [each for each in (*own, *of_items) if each.deferral_reason or each.maturity_date]
    context = told[0] if told else _Context()
    details = transaction.marketplace_details
    return DeferredShare(
        currency=transaction.total_amount.currency_code,
        marketplace=(details.marketplace_name if details else None) or "",
        reason=context.deferral_reason or "",
        matures=context.maturity_date.date() if context.maturity_date else None,
        amount=transaction.total_amount.currency_amount,
        count=1,
    )
