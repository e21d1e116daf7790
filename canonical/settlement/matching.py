"""Which of an order's open amounts in M3 a customer payment pays: to the cent, or told as a difference.

A payment is set against the order's open invoices, a refund against its open credit notes. What is left on either
side is listed and never plugged.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from canonical.settlement.models import ZERO, CustomerPayment, PaymentKind


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class OpenItem(_Part):
    """A posted invoice or credit note of an order, with what is open of it (ARS200)."""

    payer: str
    """PYNO."""
    customer: str
    """CUNO."""
    number: str
    """CINO: the external invoice number."""
    year: str
    """INYR."""
    currency: str
    left: Decimal
    """Negative for a credit note; zero where it is paid."""


class Paid(_Part):
    """What a customer payment pays of one invoice or credit note: one line of a payment batch (ARS040)."""

    payer: str
    customer: str
    number: str
    year: str
    amount: Decimal
    """Negative for a credit note."""
    left: Decimal = ZERO
    """What stays open of it."""


class MatchStatus(StrEnum):
    MATCHED = "matched"
    """M3's open amount and Amazon's are the same to the cent."""
    VARIANCE = "variance"
    """They differ: something stays open in M3, or M3 has less open than Amazon pays."""
    NO_INVOICE = "no_invoice"
    """M3 has nothing open for the order."""


class OrderMatch(_Part):
    """One customer payment and what it pays in M3."""

    order_id: str
    kind: PaymentKind
    marketplace: str
    amount: Decimal
    """As Amazon settles it."""
    row: int
    """The first of its rows in the file."""
    status: MatchStatus
    paid: tuple[Paid, ...] = ()
    rest: Decimal = ZERO
    """What of the amount pays nothing in M3: held for the controller, or posted on account."""
    left: Decimal = ZERO
    """What stays open in M3 of the invoices it pays."""
    sentence: str = ""


def match(
    payment: CustomerPayment, items: Sequence[OpenItem], currency: str, unknown: str = ""
) -> OrderMatch:
    """What `payment` pays. `items` are all of the order's; `unknown` says why there are none, where that is known.

    One invoice or several that are open with exactly this amount are paid; else those that a shipment's amount is
    exactly; else the oldest first, as far as the amount reaches.
    """
    sign = 1 if payment.amount > 0 else -1
    there = [item for item in items if item.left * sign > 0]
    mine = [item for item in there if item.currency == currency]
    paid, rest = _paid(payment, mine)
    left = sum((each.left for each in paid), ZERO)
    found = OrderMatch(
        order_id=payment.order_id,
        kind=payment.kind,
        marketplace=payment.marketplace,
        amount=payment.amount,
        row=payment.row,
        status=MatchStatus.MATCHED,
        paid=tuple(paid),
        rest=rest,
        left=left,
    )
    if not paid:
        why = _why_nothing(payment, items, there, currency) if items or not unknown else unknown
        return found.model_copy(update={"status": MatchStatus.NO_INVOICE, "sentence": why})
    if rest or left:
        said = _difference(found, currency)
        return found.model_copy(update={"status": MatchStatus.VARIANCE, "sentence": said})
    return found


def remaining(items: Iterable[OpenItem], matched: OrderMatch) -> list[OpenItem]:
    """What is still open of the items, for the order's next payment in the same settlement."""
    done = {(paid.number, paid.year): paid.left for paid in matched.paid}
    return [item.model_copy(update={"left": done.get((item.number, item.year), item.left)}) for item in items]


def _paid(payment: CustomerPayment, items: list[OpenItem]) -> tuple[list[Paid], Decimal]:
    exact = _exactly(payment, items)
    if exact is not None:
        return [_whole(item) for item in exact], ZERO
    rest, paid = payment.amount, []
    for item in items:
        amount = min(item.left, rest, key=abs)
        if amount:
            paid.append(_whole(item).model_copy(update={"amount": amount, "left": item.left - amount}))
            rest -= amount
    return paid, rest


def _exactly(payment: CustomerPayment, items: list[OpenItem]) -> list[OpenItem] | None:
    """The items that the amount pays to the cent."""
    if items and sum((item.left for item in items), ZERO) == payment.amount:
        return items
    one = next((item for item in items if item.left == payment.amount), None)
    if one is not None:
        return [one]
    left, found = list(items), []
    for amount in sorted(filter(None, payment.shipments.values())):
        fitting = next((item for item in left if item.left == amount), None)
        if fitting is None:
            return None
        left.remove(fitting)
        found.append(fitting)
    return found or None


def _whole(item: OpenItem) -> Paid:
    return Paid(
        payer=item.payer, customer=item.customer, number=item.number, year=item.year, amount=item.left
    )


def _noun(payment: CustomerPayment) -> str:
    return "invoice" if payment.amount > 0 else "credit note"


def _why_nothing(
    payment: CustomerPayment, items: Sequence[OpenItem], there: Sequence[OpenItem], currency: str
) -> str:
    noun = _noun(payment)
    if there:
        return f"M3's open {noun} {there[0].number} is in {there[0].currency}, the settlement in {currency}."
    side = 1 if payment.amount > 0 else -1
    settled = [item.number for item in items if not item.left]
    if settled:
        return f"M3 has no open {noun}; {', '.join(settled[:3])} {'are' if settled[1:] else 'is'} settled already."
    other = next((item for item in items if item.left * side < 0), None)
    if other is not None and side < 0:
        return f"M3 has no credit note; invoice {other.number} is open with {other.left} {currency}."
    return f"M3 has no posted {noun} of the order."


def _difference(found: OrderMatch, currency: str) -> str:
    numbers = ", ".join(paid.number for paid in found.paid[:3])
    if found.rest:
        return f"{found.rest} {currency} more than M3 has open ({numbers})."
    return f"{found.left} {currency} stay open in M3 ({numbers})."
