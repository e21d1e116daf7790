"""The credit of a customer return: M3 makes it by itself, here it is waited for and read.

M3's MI has no transaction that credits a return. What is received and approved is credited by the return's own
settings or a job; GetLine tells how many pieces are (REQ7), and the order line's invoices below zero tell the
amount. Which of them belongs to which return M3 does not say: one that stands for another return is left out, and
of several the one over the expected amount is taken, else the latest.
"""

from datetime import UTC, datetime

from activities.m3.context import M3Context
from activities.m3.errors import MIError, NotYet, Pace
from activities.m3.programs.invoices import InvoiceHead, invoice_heads
from activities.m3.programs.returns import invoices_of_line, line_numbers, return_head, return_lines
from activities.m3.reasons import hold_for
from canonical.held import HeldReason, OrderHeld, held
from canonical.return_contracts import (
    CreditReturnRequest,
    ReadReceivedRequest,
    ReadReceivedResult,
    VerifyCreditRequest,
    VerifyReturnRequest,
)
from canonical.return_facts import FROM_M3, Returned
from canonical.return_models import Credit, Movement


async def credit_return(ctx: M3Context, request: CreditReturnRequest) -> Credit:
    """The credit invoice of a received return. Raises `NotYet` while M3 has not made it."""
    move, line = request.movement, request.line
    found = (await return_lines(ctx.client, [(move.whlo, move.repn, move.reli)])).get((move.repn, move.reli))
    if found is None or found.credited < found.returned:
        credited = found.credited if found else 0
        raise NotYet(
            f"M3 has credited {credited} of {move.received} pieces of customer return {move.repn} (Amazon order "
            f"{request.ref.order_id}).",
            pace=Pace.LATER,
        )
    others = {(credit.ivno, credit.year) for credit in request.known}
    numbers = [key for key in await invoices_of_line(ctx.client, line.orno, line.ponr) if key not in others]
    heads = await invoice_heads(ctx.client, numbers, line.division or ctx.options.division)
    if not heads:
        raise NotYet(
            f"M3 shows no credit invoice for customer return {move.repn} of order {line.orno} yet.",
            pace=Pace.LATER,
        )
    return _credit(_meant(list(heads.values()), move))


def _meant(heads: list[InvoiceHead], move: Movement) -> InvoiceHead:
    exact = [head for head in heads if move.amount is not None and -head.amount.amount == move.amount]
    return max(exact or heads, key=lambda head: (int(head.year), int(head.ivno)))


def _credit(head: InvoiceHead) -> Credit:
    return Credit(ivno=head.ivno, year=head.year, amount=-head.amount.amount)


async def read_received(ctx: M3Context, request: ReadReceivedRequest) -> ReadReceivedResult:
    """What the own warehouse has received of the case's returns."""
    wanted = [(move.whlo, move.repn, move.reli) for move in request.movements]
    lines = await return_lines(ctx.client, wanted)
    now = datetime.now(UTC)
    received: dict[int, int] = {}
    facts = []
    for move in request.movements:
        line = lines.get((move.repn, move.reli))
        if line is None or not line.returned:
            continue
        received[move.number] = line.returned
        key = f"{move.repn}/{move.reli}"
        facts.append(Returned(key=key, at=now, told=now, pieces=line.returned, source=FROM_M3))
    return ReadReceivedResult(received=received, facts=tuple(facts))


async def verify_credit(ctx: M3Context, request: VerifyCreditRequest) -> Credit:
    """The credit invoice a person names. Raises `OrderHeld` (credit_differs) where it is none."""
    year = request.year or str(datetime.now(UTC).year)
    number = request.number
    if not number.isdecimal() or any((number, year) == (each.ivno, each.year) for each in request.known):
        what = (
            "stands for another credit of this case already"
            if number.isdecimal()
            else "is no number of an invoice"
        )
        raise _not_taken(request, f"{number} {what}.")
    division = request.line.division or ctx.options.division
    head = (await invoice_heads(ctx.client, [(number, year)], division)).get((number, year))
    if head is None:
        raise _not_taken(request, f"M3 has no invoice {number} of {year}.")
    if head.amount.amount >= 0:
        raise _not_taken(request, f"Invoice {number} of {year} over {head.amount} is no credit.")
    return _credit(head)


def _not_taken(request: VerifyCreditRequest, trouble: str) -> OrderHeld:
    return held(HeldReason.CREDIT_DIFFERS, f"Amazon order {request.ref.order_id}: {trouble}", system="M3")


async def verify_return(ctx: M3Context, request: VerifyReturnRequest) -> Movement:
    """The customer return a person entered by hand. Raises `OrderHeld` (return_refused) where it is another's."""
    line, order_id = request.line, request.ref.order_id
    try:
        head = await return_head(ctx.client, line.whlo, request.repn) if request.repn.isdecimal() else None
        numbers = await line_numbers(ctx.client, line.whlo, request.repn) if head is not None else ()
    except MIError as error:
        raise hold_for(error, order_id, otherwise=HeldReason.RETURN_REFUSED) from error
    mine = [reli for reli, ponr in numbers if ponr == line.ponr]
    if head is None or head.orno != line.orno or not mine:
        raise held(
            HeldReason.RETURN_REFUSED,
            f"M3 has no customer return {request.repn} in warehouse {line.whlo} for line {line.ponr} of order "
            f"{line.orno} (Amazon order {order_id}).",
            system="M3",
        )
    found = (await return_lines(ctx.client, [(line.whlo, request.repn, mine[0])]))[request.repn, mine[0]]
    return Movement(
        number=request.number,
        repn=request.repn,
        reli=mine[0],
        whlo=line.whlo,
        pieces=found.advised,
        disposition=request.disposition,
        received=found.returned,
    )
