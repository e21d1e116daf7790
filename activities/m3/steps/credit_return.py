"""The credits of a customer return: M3 makes them by itself, here they are waited for and read.

M3's MI has no transaction that credits a return. What is received and approved is credited by the return's own
settings or a job, each receipt for itself: goods that come back in two parts have two credit invoices. GetLine tells
how many pieces are credited (REQ7), and the order line's invoices below zero tell the amounts. Which of them belongs to
which return M3 does not say: those that are counted already are left out. Of the others those that come to the
expected amount are taken; where no other return has a credit of its own among them, all; else the latest.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, combinations
from typing import Final

from activities.m3.context import M3Context
from activities.m3.errors import MIError, NotYet, Pace
from activities.m3.programs.invoices import InvoiceHead, invoice_heads
from activities.m3.programs.returns import invoices_of_line, line_numbers, return_head, return_lines
from activities.m3.reasons import hold_for
from canonical.held import HeldReason, OrderHeld, held
from canonical.money import round_to_currency
from canonical.return_contracts import (
    CreditReturnRequest,
    CreditReturnResult,
    ReadReceivedRequest,
    ReadReceivedResult,
    VerifyCreditRequest,
    VerifyReturnRequest,
)
from canonical.return_facts import FROM_M3, Returned
from canonical.return_models import Credit, Movement

_ROUNDED: Final = Decimal("0.01")
"""M3 rounds each credit for itself."""
_TRIED: Final = 10
"""Credits of one line among which a sum is looked for: each more doubles the work."""


async def credit_return(ctx: M3Context, request: CreditReturnRequest) -> CreditReturnResult:
    """The credit invoices of what is received of a return. Raises `NotYet` while M3 has not made them."""
    move, line = request.movement, request.line
    moves = (move, *request.others)
    lines = await return_lines(ctx.client, [(each.whlo, each.repn, each.reli) for each in moves])
    found = lines.get((move.repn, move.reli))
    if found is None or found.credited < max(found.returned, move.credited + 1):
        credited = found.credited if found else 0
        raise NotYet(
            f"M3 has credited {credited} of {move.received} pieces of customer return {move.repn} (Amazon order "
            f"{request.ref.order_id}).",
            pace=Pace.LATER,
        )
    counted = {(credit.ivno, credit.year) for credit in request.known}
    numbers = [key for key in await invoices_of_line(ctx.client, line.orno, line.ponr) if key not in counted]
    heads = await invoice_heads(ctx.client, numbers, line.division or ctx.options.division)
    if not heads:
        raise NotYet(
            f"M3 shows no credit invoice for customer return {move.repn} of order {line.orno} yet.",
            pace=Pace.LATER,
        )
    others = [(each, lines.get((each.repn, each.reli))) for each in request.others]
    alone = not any(theirs and theirs.credited > each.credited for each, theirs in others)
    currency = next(iter(heads.values())).amount.currency
    expected = _expected(move, found.credited, currency)
    meant = _meant([_credit(head) for head in heads.values()], expected, alone=alone)
    return CreditReturnResult(credits=meant, pieces=found.credited)


def _expected(move: Movement, credited: int, currency: str) -> Decimal | None:
    """What is to be credited beyond what is counted; None where that is left to M3's own price."""
    if move.amount is None:
        return None
    return round_to_currency(move.amount * credited / move.pieces, currency) - move.credited_amount


def _meant(found: Sequence[Credit], expected: Decimal | None, *, alone: bool) -> tuple[Credit, ...]:
    latest = sorted(found, key=lambda credit: (int(credit.year), int(credit.ivno)), reverse=True)
    if expected is not None:
        several = range(1, min(len(latest), _TRIED) + 1)
        choices = chain.from_iterable(combinations(latest[:_TRIED], count) for count in several)
        off, choice = min(
            ((abs(sum(credit.amount for credit in choice) - expected), choice) for choice in choices),
            key=lambda each: (each[0], len(each[1])),
        )
        if off <= (len(choice) - 1) * _ROUNDED:
            return choice
    return tuple(latest) if alone else (latest[0],)


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
