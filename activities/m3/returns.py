"""M3's side of return cases as Temporal activities."""

from collections.abc import Callable

from temporalio import activity

from activities.m3.activities import under_way
from activities.m3.context import M3Context
from activities.m3.facts import missing_credits
from activities.m3.programs.orders import OrderLine, order_with_lines
from activities.m3.steps.credit_return import credit_return, read_received, verify_credit, verify_return
from activities.m3.steps.take_return import take_return
from canonical import return_contracts as act
from canonical.case_audit import AUDIT_CREDITS, AuditCreditsRequest, AuditCreditsResult
from canonical.held import HeldReason, held
from canonical.ids import customer_order_number
from canonical.order import Channel
from canonical.return_models import Credit, Movement


class M3ReturnActivities:
    """Customer returns and their credits in one M3 company."""

    def __init__(self, context: M3Context) -> None:
        self.context = context

    @property
    def all(self) -> list[Callable[..., object]]:
        """Every activity, for a worker."""
        return [
            self.find_sold_line,
            self.take_return,
            self.read_received,
            self.credit_return,
            self.verify_credit,
            self.verify_return,
            self.audit_credits,
        ]

    @activity.defn(name=act.FIND_SOLD_LINE)
    async def find_sold_line(self, request: act.FindSoldLineRequest) -> act.SoldLine:
        """The M3 order line the goods were sold on. Holds: return_refused, not_configured."""
        async with under_way(request.ref.order_id):
            return await _sold_line(self.context, request)

    @activity.defn(name=act.TAKE_RETURN)
    async def take_return(self, request: act.TakeReturnRequest) -> Movement:
        """One customer return for some pieces, once."""
        async with under_way(request.ref.order_id):
            return await take_return(self.context, request)

    @activity.defn(name=act.READ_RECEIVED)
    async def read_received(self, request: act.ReadReceivedRequest) -> act.ReadReceivedResult:
        """What the own warehouse has received."""
        async with under_way(request.ref.order_id):
            return await read_received(self.context, request)

    @activity.defn(name=act.CREDIT_RETURN)
    async def credit_return(self, request: act.CreditReturnRequest) -> act.CreditReturnResult:
        """The credits that M3 made for a return."""
        async with under_way(request.ref.order_id):
            return await credit_return(self.context, request)

    @activity.defn(name=act.VERIFY_CREDIT)
    async def verify_credit(self, request: act.VerifyCreditRequest) -> Credit:
        """A credit invoice that a person names, checked."""
        async with under_way(request.ref.order_id):
            return await verify_credit(self.context, request)

    @activity.defn(name=act.VERIFY_RETURN)
    async def verify_return(self, request: act.VerifyReturnRequest) -> Movement:
        """A customer return that a person names, checked."""
        async with under_way(request.ref.order_id):
            return await verify_return(self.context, request)

    @activity.defn(name=AUDIT_CREDITS)
    async def audit_credits(self, request: AuditCreditsRequest) -> AuditCreditsResult:
        """Which credit invoices M3 does not have, or has over another amount."""
        async with under_way("(audit)"):
            return AuditCreditsResult(missing=await missing_credits(self.context, request.orders))


async def _sold_line(ctx: M3Context, request: act.FindSoldLineRequest) -> act.SoldLine:
    ref = request.ref
    profile = ctx.profile(ref.marketplace_id, ref.order_id)
    found = await ctx.lookup(ref.marketplace_id).find(customer_order_number(ref.order_id))
    if len(found.orders) != 1:
        raise held(
            HeldReason.RETURN_REFUSED,
            f"M3 has {len(found.orders) or 'no'} orders for Amazon order {ref.order_id}, of which something goes "
            "back; one is needed.",
            system="M3",
        )
    orno = found.orders[0].orno
    head, lines = await order_with_lines(ctx.client, orno)
    line = _line_of(lines, {item.order_item_id for item in request.order.items})
    if head is None or line is None:
        raise held(
            HeldReason.RETURN_REFUSED,
            f"No line of M3 order {orno} can be told to be SKU {request.sku} of Amazon order {ref.order_id}.",
            system="M3",
        )
    own = request.order.channel is Channel.MFN
    return act.SoldLine(
        orno=orno,
        ponr=line.ponr,
        posx=line.posx,
        itno=line.itno,
        cuno=head.cuno,
        whlo=profile.warehouse_mfn if own else line.whlo,
        facility=profile.facility,
        division=head.division,
    )


def _line_of(lines: tuple[OrderLine, ...], items: set[str]) -> OrderLine | None:
    """By Amazon's order item id, which each line carries as its own CUOR; an order's only line is known without.
    Of several the one of which most was delivered."""
    mine = [line for line in lines if line.cuor in items]
    if not mine and len(lines) == 1:
        mine = list(lines)
    return max(mine, key=lambda line: line.delivered, default=None)
