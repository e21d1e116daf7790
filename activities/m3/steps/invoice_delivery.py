"""The invoice M3 makes for a delivery: waited for, asked for where M3 is set up so, never made twice."""

from activities.m3.context import M3Context
from activities.m3.errors import MIError, NotYet, Pace
from activities.m3.programs.deliveries import CODelivery, co_deliveries
from activities.m3.programs.invoices import invoice_heads, request_invoice
from activities.m3.reasons import hold_for
from canonical.activity_contracts import InvoiceDeliveryRequest
from canonical.held import HeldReason, OrderHeld, held
from canonical.order import Invoice
from canonical.statuses import (
    DELIVERY,
    invoice_needs_approval,
    meaning,
    never_invoiced,
    not_ready_for_invoicing,
)

_READY = "60"


async def invoice_delivery(ctx: M3Context, request: InvoiceDeliveryRequest) -> Invoice:
    """The invoice of one delivery.

    Raises `NotYet` while M3 has not made it; `OrderHeld` (invoice_missing) where a person must approve or
    release the delivery, or M3 will never invoice it.
    """
    invoicing = _Invoicing(ctx, request)
    found = await invoicing.look()
    if found is None and ctx.options.trigger_invoice:
        await invoicing.ask()
    if found is None:
        found = await ctx.patiently(invoicing.look, ctx.options.busy_wait)
    if found is None:
        raise NotYet(
            f"M3 has not invoiced delivery {request.delivery.dlix} of M3 order {request.orno} (Amazon order "
            f"{request.ref.order_id}) yet: status {meaning(DELIVERY, invoicing.status)}.",
            pace=Pace.LATER,
        )
    return found


class _Invoicing:
    def __init__(self, ctx: M3Context, request: InvoiceDeliveryRequest) -> None:
        self._ctx = ctx
        self._request = request
        self.status = ""

    async def look(self) -> Invoice | None:
        """The delivery's invoice, None while M3 may still make it."""
        orno, dlix = self._request.orno, str(int(self._request.delivery.dlix))
        deliveries = (await co_deliveries(self._ctx.client, [orno]))[orno]
        mine = [each for each in deliveries if each.dlix == dlix]
        invoiced = [each for each in mine if each.ivno]
        if not invoiced:
            self.status = mine[0].status if mine else ""
            self._refuse_if_stuck()
            return None
        return await self._read(invoiced[0])

    async def ask(self) -> None:
        """PrtInvoice where the delivery is ready: a delivery that is being invoiced is not asked for again."""
        if self.status != _READY:
            return
        orno, dlix = self._request.orno, self._request.delivery.dlix
        try:
            await request_invoice(self._ctx.client, orno, dlix)
        except MIError as error:
            raise hold_for(
                error,
                self._request.ref.order_id,
                otherwise=HeldReason.INVOICE_MISSING,
                about=f"delivery {dlix}",
            ) from error

    async def _read(self, delivery: CODelivery) -> Invoice | None:
        division = self._ctx.division(self._request.ref)
        key = (delivery.ivno, delivery.year)
        head = (await invoice_heads(self._ctx.client, [key], division)).get(key)
        if head is None:
            return None
        return Invoice(
            ivno=head.ivno,
            year=head.year,
            external_number=head.external_number or delivery.external_number,
            dlix=self._request.delivery.dlix,
            amount=head.amount,
        )

    def _refuse_if_stuck(self) -> None:
        if invoice_needs_approval(self.status):
            raise self._stuck("approve it in OIS155 (option Approve) and retry")
        if not_ready_for_invoicing(self.status):
            raise self._stuck("release it in OIS150 and retry")
        if never_invoiced(self.status):
            raise self._stuck("M3 will not invoice it; change its status in OIS150 and retry")

    def _stuck(self, advice: str) -> OrderHeld:
        return held(
            HeldReason.INVOICE_MISSING,
            f"Delivery {self._request.delivery.dlix} of M3 order {self._request.orno} (Amazon order "
            f"{self._request.ref.order_id}) has status {meaning(DELIVERY, self.status)}: {advice}.",
            system="M3",
            code=f"ORST {self.status}",
        )
