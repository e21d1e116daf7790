"""From a failed activity to a hold: every way a call can end becomes a reason an operator knows."""

from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError  # noqa: A004

from canonical.activity_contracts import HELD
from canonical.held import HeldReason, Hold
from canonical.steps import Step

_NOT_YET: dict[Step, HeldReason] = {
    Step.SHIPMENT: HeldReason.SHIPMENT_NOT_REPORTABLE,
    Step.INVOICE: HeldReason.INVOICE_MISSING,
    Step.LEDGER: HeldReason.LEDGER_MISMATCH,
    Step.RETURNING: HeldReason.RETURN_REFUSED,
    Step.CREDITING: HeldReason.CREDIT_MISSING,
    Step.PAYMENTS: HeldReason.SETTLEMENT_NOT_POSTED,
    Step.POSTING: HeldReason.SETTLEMENT_NOT_POSTED,
    Step.CORRECTING: HeldReason.STOCK_CORRECTION_REFUSED,
}
"""What waiting in vain for M3 means at each step."""

_LONGEST_TEXT = 600


def hold_of(error: ActivityError, step: Step, order_id: str) -> Hold:
    """The hold that a failed activity asks for."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        if cause.type == HELD and cause.details:
            return Hold.model_validate(cause.details[0])
        return _used_up(cause, step, order_id)
    system = "Amazon" if error.activity_type in _AMAZON_ACTIVITIES else "M3"
    if isinstance(cause, TimeoutError):
        reason = HeldReason.AMAZON_UNAVAILABLE if system == "Amazon" else HeldReason.M3_UNAVAILABLE
        sentence = f"{system} did not answer {error.activity_type} for order {order_id} in any attempt."
        return Hold(reason=reason, sentence=sentence, system=system)
    return Hold(
        reason=HeldReason.INTERNAL_ERROR,
        sentence=f"{error.activity_type} of order {order_id} ended with {type(cause).__name__}.",
    )


def naming(hold: Hold, title: str, order_id: str) -> Hold:
    """The hold with a sentence that names the order: a failed call knows the call, a person asks which order."""
    if order_id in hold.sentence:
        return hold
    return hold.model_copy(update={"sentence": f"{title} {order_id}: {hold.sentence}"})


_AMAZON_ACTIVITIES = frozenset(
    {
        "fetch_order",
        "confirm_shipment",
        "create_fulfillment_order",
        "look_at_fulfillment_order",
        "cancel_fulfillment_order",
        "track_parcels",
        "read_case_order",
    }
)


def _used_up(cause: ApplicationError, step: Step, order_id: str) -> Hold:
    kind = cause.type or ""
    text = cause.message[:_LONGEST_TEXT]
    if kind == "m3_not_yet" and step in _NOT_YET:
        return Hold(reason=_NOT_YET[step], sentence=text, system="M3")
    if kind.startswith("m3_"):
        return Hold(reason=HeldReason.M3_UNAVAILABLE, sentence=text, system="M3")
    if kind.startswith("amazon_"):
        return Hold(reason=HeldReason.AMAZON_UNAVAILABLE, sentence=text, system="Amazon")
    sentence = f"The service met {kind or 'an error'} at step {step} of order {order_id}: {text}"
    return Hold(reason=HeldReason.INTERNAL_ERROR, sentence=sentence[:_LONGEST_TEXT])
