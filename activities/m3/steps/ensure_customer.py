"""The M3 customer of an order: checked where it is a generic one, created where each buyer has his own."""

import unicodedata
from typing import Final

from activities.m3.context import M3Context
from activities.m3.errors import MIError, MIErrorKind
from activities.m3.programs.customers import Customer, add_customer, customer
from activities.m3.reasons import hold_for
from canonical.activity_contracts import CustomerResult, EnsureCustomerRequest
from canonical.address import M3Address, order_address
from canonical.customers import choose_customer
from canonical.held import HeldReason, OrderHeld, held

_USABLE: Final = "20"
_WITH_ERRORS: Final = "12"


async def ensure_customer(ctx: M3Context, request: EnsureCustomerRequest) -> CustomerResult:
    """CUNO that the order is booked on, usable (status 20).

    Raises `OrderHeld`: customer_unusable, address_refused, address_does_not_fit, not_configured.
    """
    order_id = request.order.order_id
    profile = ctx.profile(request.order.marketplace_id, order_id)
    if request.cuno:
        return await _checked(ctx, request.cuno, order_id)
    choice = choose_customer(request.order, profile.customer, request.address)
    if not choice.per_buyer:
        return await _checked(ctx, choice.cuno, order_id)
    buyer = order_address(request.order, profile, request.address)
    if buyer is None or profile.customer.template is None:
        return await _checked(ctx, profile.customer.numbers[0], order_id)
    found = await customer(ctx.client, choice.cuno)
    if found is not None:
        return _own(found, buyer, order_id)
    fields = {"CUTM": profile.customer.template, "CUNO": choice.cuno, **buyer.customer_fields()}
    return await _create(ctx, fields, buyer, order_id)


async def _checked(ctx: M3Context, cuno: str, order_id: str) -> CustomerResult:
    found = await customer(ctx.client, cuno)
    if found is None:
        raise held(
            HeldReason.CUSTOMER_UNUSABLE,
            f"M3 has no customer {cuno}, on which Amazon order {order_id} is to be booked.",
            system="M3",
            code="WCU0203",
            field="CUNO",
        )
    if found.status != _USABLE:
        raise _unusable(found, order_id)
    return CustomerResult(cuno=cuno)


def _unusable(found: Customer, order_id: str) -> OrderHeld:
    return held(
        HeldReason.CUSTOMER_UNUSABLE,
        f"M3 customer {found.cuno} of Amazon order {order_id} has status {found.status}; only 20 can take orders.",
        system="M3",
        code=f"STAT {found.status}",
        field="CUNO",
    )


def _own(found: Customer, buyer: M3Address, order_id: str) -> CustomerResult:
    """A customer under the buyer's derived number: made for him before, or by a rare chance another's."""
    if _plain(found.name) != _plain(buyer.name):
        raise held(
            HeldReason.CUSTOMER_UNUSABLE,
            f"M3 customer {found.cuno} has the number that Amazon order {order_id} would get, and another name.",
            system="M3",
            field="CUNO",
        )
    if found.status == _WITH_ERRORS:
        raise held(
            HeldReason.ADDRESS_REFUSED,
            f"M3 customer {found.cuno} of Amazon order {order_id} was created with errors (status 12): M3 did not "
            "take the address. Correct the address, or the customer in CRS610, and retry.",
            system="M3",
            code="STAT 12",
        )
    if found.status != _USABLE:
        raise _unusable(found, order_id)
    return CustomerResult(cuno=found.cuno)


def _plain(name: str) -> str:
    """A name without case, accents and punctuation: what `buyer_number` does not tell apart either."""
    return "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if c.isalnum())


async def _create(ctx: M3Context, fields: dict[str, str], buyer: M3Address, order_id: str) -> CustomerResult:
    cuno = fields["CUNO"]
    try:
        message = await add_customer(ctx.client, fields)
    except MIError as error:
        if error.kind is not MIErrorKind.ALREADY_EXISTS:
            raise hold_for(error, order_id, about="the buyer's customer") from error
        found = await customer(ctx.client, cuno)
        if found is None:
            raise hold_for(error, order_id, about="the buyer's customer") from error
        return _own(found, buyer, order_id)
    if message:
        raise held(
            HeldReason.ADDRESS_REFUSED,
            f"M3 created customer {cuno} for Amazon order {order_id} with errors (status 12): "
            f"{_without(message, fields)}.",
            system="M3",
            code="STAT 12",
        )
    return CustomerResult(cuno=cuno, created=True)


def _without(message: str, fields: dict[str, str]) -> str:
    """M3's text without the buyer's own words, which it may quote; country and state are no secret."""
    personal = {
        word
        for name, value in fields.items()
        if name not in ("CUTM", "CUNO", "CSCD", "ECAR")
        for word in (value, *value.split())
        if len(word) > 1
    }
    for word in sorted(personal, key=len, reverse=True):
        message = message.replace(word, "…")
    return message
