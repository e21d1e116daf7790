"""A person says a step was done by hand under a number: M3 is asked before it is believed."""

from collections.abc import Awaitable, Callable
from typing import Final

from activities.m3.context import M3Context
from activities.m3.programs.deliveries import co_deliveries
from activities.m3.programs.invoices import invoice_heads
from activities.m3.programs.items import aliases
from activities.m3.programs.orders import SalesOrder, order_with_lines, sales_orders
from activities.m3.steps.adopt import adopt
from activities.m3.steps.post_general_ledger import read_voucher
from activities.m3.steps.shipped_items import items_of
from canonical.activity_contracts import VerifyStepRequest, VerifyStepResult
from canonical.held import HeldReason, OrderHeld, held
from canonical.ids import customer_order_number
from canonical.items import itno_of
from canonical.money import Money
from canonical.order import Delivery, Invoice
from canonical.order_facts import expected_total
from canonical.statuses import Compensation, compensation_for
from canonical.steps import Step

_REASON: Final = {
    Step.SALES_ORDER: HeldReason.M3_REFUSED,
    Step.SHIPMENT: HeldReason.SHIPMENT_NOT_REPORTABLE,
    Step.INVOICE: HeldReason.INVOICE_MISSING,
    Step.LEDGER: HeldReason.LEDGER_MISMATCH,
    Step.CANCELLING: HeldReason.CANCELLED_TOO_LATE,
}


async def verify_step(ctx: M3Context, request: VerifyStepRequest) -> VerifyStepResult:
    """What M3 has under `number` for `step`, if it belongs to this order.

    Raises `OrderHeld`, with the reason the step would be held for, where it does not.
    """
    checks: dict[Step, Callable[[M3Context, VerifyStepRequest], Awaitable[VerifyStepResult]]] = {
        Step.SALES_ORDER: _sales_order,
        Step.SHIPMENT: _shipment,
        Step.INVOICE: _invoice,
        Step.LEDGER: _ledger,
        Step.CANCELLING: _cancelling,
    }
    check = checks.get(request.step)
    if check is None:
        raise held(
            HeldReason.M3_REFUSED,
            f"Step {request.step} of Amazon order {request.ref.order_id} has no number in M3 that could be checked.",
        )
    return await check(ctx, request)


def _not_there(request: VerifyStepRequest, what: str) -> OrderHeld:
    return held(
        _REASON[request.step],
        f"M3 has no {what} {request.number} for Amazon order {request.ref.order_id}.",
        system="M3",
    )


async def _head(ctx: M3Context, request: VerifyStepRequest) -> SalesOrder:
    orders = await sales_orders(ctx.client, [request.number])
    cuor = customer_order_number(request.ref.order_id)
    mine = [order for order in orders if order.cuor == cuor]
    if not mine:
        raise _not_there(request, "order")
    return mine[0]


async def _sales_order(ctx: M3Context, request: VerifyStepRequest) -> VerifyStepResult:
    head = await _head(ctx, request)
    if head.deleted:
        raise held(
            _REASON[request.step],
            f"M3 order {request.number} of Amazon order {request.ref.order_id} is deleted (status {head.status}).",
            system="M3",
        )
    found = await adopt(
        ctx.client,
        head.orno,
        request.order,
        await _items(ctx, request),
        profile=ctx.profile(request.ref.marketplace_id, request.ref.order_id),
        expected=expected_total(request.order) or Money(amount=head.total, currency=head.currency),
        accept_difference=True,
    )
    if not found.lines:
        raise held(
            _REASON[request.step],
            f"M3 order {request.number} has no line of Amazon order {request.ref.order_id}.",
            system="M3",
        )
    return VerifyStepResult(sales_order=found)


async def _items(ctx: M3Context, request: VerifyStepRequest) -> dict[str, str]:
    """ITNO by SKU, as the workflow knows them or as M3 does now."""
    if request.items:
        return request.items
    profile = ctx.profile(request.ref.marketplace_id, request.ref.order_id)
    skus = list(dict.fromkeys(line.seller_sku for line in request.order.lines if line.seller_sku))
    known = await aliases(ctx.client, skus, alwt=profile.alias_type, alwq=profile.alias_qualifier)
    found = {sku: itno_of(sku, known.get(sku), profile.item_rules) for sku in skus}
    return {sku: itno for sku, itno in found.items() if itno}


async def _shipment(ctx: M3Context, request: VerifyStepRequest) -> VerifyStepResult:
    order = request.sales_order
    if order is None or not request.number.isdecimal():
        raise _not_there(request, "delivery")
    deliveries = (await co_deliveries(ctx.client, [order.orno]))[order.orno]
    mine = [each for each in deliveries if each.dlix == str(int(request.number)) and each.left]
    if not mine:
        raise _not_there(request, "delivery that has left,")
    items = await items_of(ctx.client, ctx.options.company, mine[0], order.lines)
    return VerifyStepResult(
        delivery=Delivery(dlix=mine[0].dlix, whlo=mine[0].whlo, status=mine[0].status, items=items)
    )


async def _invoice(ctx: M3Context, request: VerifyStepRequest) -> VerifyStepResult:
    order = request.sales_order
    if order is None or not request.number.isdecimal():
        raise _not_there(request, "invoice")
    number = str(int(request.number))
    deliveries = (await co_deliveries(ctx.client, [order.orno]))[order.orno]
    mine = [each for each in deliveries if each.ivno == number and request.year in ("", each.year)]
    if not mine:
        raise _not_there(request, "invoice")
    key = (mine[0].ivno, mine[0].year)
    head = (await invoice_heads(ctx.client, [key], ctx.division(request.ref))).get(key)
    if head is None:
        raise _not_there(request, "invoice")
    invoice = Invoice(
        ivno=head.ivno,
        year=head.year,
        external_number=head.external_number or mine[0].external_number,
        dlix=mine[0].dlix,
        amount=head.amount,
    )
    return VerifyStepResult(invoice=invoice)


async def _ledger(ctx: M3Context, request: VerifyStepRequest) -> VerifyStepResult:
    """A voucher carries no order number: that it exists in the invoice's year and balances must do."""
    division = ctx.division(request.ref)
    year = request.year or (request.invoice.year if request.invoice else "")
    if not request.number.isdecimal() or not division or not year:
        raise _not_there(request, "voucher")
    voucher = await read_voucher(ctx, str(int(request.number)), year, division)
    if voucher is None:
        raise _not_there(request, "voucher")
    if voucher.debit != voucher.credit:
        raise held(
            _REASON[request.step],
            f"Voucher {request.number} given for Amazon order {request.ref.order_id} does not balance: debit "
            f"{voucher.debit}, credit {voucher.credit}.",
            system="M3",
        )
    ivno = request.invoice.ivno if request.invoice else ""
    return VerifyStepResult(voucher=voucher.model_copy(update={"ivno": ivno}))


async def _cancelling(ctx: M3Context, request: VerifyStepRequest) -> VerifyStepResult:
    """Deleted, or past deletion (goods are out and come back as a return): but not an order still to be
    picked."""
    head = await _head(ctx, request)
    if head.deleted:
        return VerifyStepResult()
    _, lines = await order_with_lines(ctx.client, head.orno)
    if compensation_for(line.status for line in lines) in (Compensation.RETURN, Compensation.NOTHING):
        known = {line.order_item_id for line in request.order.lines}
        left = {line.cuor: line.delivered for line in lines if line.delivered and line.cuor in known}
        return VerifyStepResult(left=left)
    raise held(
        _REASON[request.step],
        f"M3 order {request.number} of Amazon order {request.ref.order_id} is neither deleted nor delivered.",
        system="M3",
    )
