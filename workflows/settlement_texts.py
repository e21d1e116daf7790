"""What is said of a settlement: why it is held, and how it ended."""

from collections.abc import Sequence
from typing import Final

from canonical.alert_contracts import AlertMessage, Severity
from canonical.alert_texts import LONGEST_BODY
from canonical.held import HeldReason, Hold
from canonical.settlement.matching import MatchStatus
from canonical.settlement.models import Booking, CheckStatus
from canonical.settlement_contracts import Matched
from canonical.settlement_reports import SETTLEMENT_V1, FeedResult, TakenIn
from workflows.settlement_state import SettlementState

_NAMED: Final = 5


def not_postable(booking: Booking) -> Hold:
    """Why a settlement that was read is not booked."""
    settlement = booking.settlement
    subject = settlement.header.settlement_id
    if settlement.unknown:
        told = [
            f"row {one.row}: {one} lacks its {one.missing}, {one.amount} {settlement.header.currency} in "
            f"{one.count} row{'s' * (one.count > 1)}"
            for one in settlement.unknown[:_NAMED]
        ]
        more = len(settlement.unknown) - _NAMED
        rest = f"; and {more} more" if more > 0 else ""
        return Hold(
            reason=HeldReason.SETTLEMENT_UNKNOWN,
            sentence=f"Settlement {subject} has amounts without a booking: {'; '.join(told)}{rest}.",
        )
    wrong = [check.sentence for check in booking.checks if check.status is CheckStatus.DIFFERS]
    return Hold(
        reason=HeldReason.SETTLEMENT_DIFFERS, sentence=f"Settlement {subject}: {' '.join(wrong[:_NAMED])}"
    )


def nothing_matches(state: SettlementState) -> Hold:
    """No order of the settlement has anything open in M3."""
    orders = sum(state.matched.orders.values())
    return Hold(
        reason=HeldReason.SETTLEMENT_NO_INVOICE,
        sentence=f"None of the {orders} orders of settlement {state.subject} has an open amount in M3, such as "
        f"{_orders(state.matched)} Is it another seller's, from before this service, or paid by hand?",
        system="M3",
    )


def without_invoice(state: SettlementState) -> Hold:
    """Some payments pay nothing in M3."""
    matched = state.matched
    return Hold(
        reason=HeldReason.SETTLEMENT_NO_INVOICE,
        sentence=f"{matched.rest} {state.currency} of settlement {state.subject} pay nothing in M3, in "
        f"{matched.rest_orders} order{'s' * (matched.rest_orders > 1)}: {_orders(matched)} "
        "Everything else is posted.",
        system="M3",
    )


def misposted(state: SettlementState) -> Hold:
    """What M3 has posted is not what the settlement says."""
    troubles = state.verified.troubles if state.verified else ()
    return Hold(
        reason=HeldReason.SETTLEMENT_MISPOSTED,
        sentence=f"Settlement {state.subject}: {' '.join(troubles[:_NAMED])}",
        system="M3",
    )


def booked(state: SettlementState) -> str:
    """The sentence of a settlement that is booked."""
    header = state.settlement.header
    numbers = ", ".join(each.vono for each in state.posted) or "none"
    return (
        f"Settlement {state.subject} over {header.total} {header.currency} is booked; vouchers {numbers}."
        f"{_compared(state)}"
    )


def given_up(state: SettlementState) -> str:
    """The sentence of a settlement that a person gave up."""
    if not state.posted:
        return f"Settlement {state.subject} was given up by a person; nothing was posted."
    numbers = ", ".join(each.vono for each in state.posted)
    return f"Settlement {state.subject} was given up by a person; vouchers {numbers} stay posted."


def only_old(number: int) -> str:
    """The advice where a seller's settlements are told by the older flat file alone; empty where by none."""
    if not number:
        return ""
    reports = "report" if number == 1 else "reports"
    return (
        f"Amazon lists {number} settlement {reports} of the older flat file and none of V2: nothing is taken in. Name "
        f"{SETTLEMENT_V1} in settlement.posting.reports, and they are."
    )


def not_looked_for(result: FeedResult) -> AlertMessage:
    """What people are told where none of the reports that Amazon lists is looked for."""
    return AlertMessage(
        title=f"Settlements are not taken in (seller {result.seller_id})",
        body=result.advice,
        severity=Severity.FAILURE,
    )


def of_another(seller_id: str, refused: Sequence[TakenIn]) -> AlertMessage:
    """What people are told of settlements that another seller has."""
    numbers = ", ".join(one.settlement_id for one in refused[:_NAMED])
    body = "\n".join(one.sentence for one in refused)
    return AlertMessage(
        title=f"Settlement {numbers} is another seller's already (seller {seller_id})"[:120],
        body=body if len(body) <= LONGEST_BODY else f"{body[: LONGEST_BODY - 1]}…",
        severity=Severity.FAILURE,
    )


def _compared(state: SettlementState) -> str:
    said = []
    if state.on_account:
        said.append(f" {state.on_account} {state.currency} are on account.")
    odd = sum(each.orders.get(MatchStatus.VARIANCE, 0) for each in state.matches)
    if odd:
        said.append(f" {odd} order{'s differ' if odd > 1 else ' differs'} from M3's open amount.")
    return "".join(said)


def _orders(matched: Matched) -> str:
    told = [f"{one.order_id} ({one.rest}): {one.sentence}" for one in matched.listed if one.rest]
    return " ".join(told[:_NAMED])
