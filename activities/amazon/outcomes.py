"""From Amazon's failures to the three outcomes an activity may have: done, held, tried again."""

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from temporalio import activity

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.lwa import OPERATION as LWA_OPERATION
from activities.amazon.operations import CONFIRM_SHIPMENT
from activities.errors import RetryLater, failures_as_temporal_knows_them, heartbeating
from canonical.held import HeldReason, Hold, OrderHeld

QUOTA: Final = "amazon_quota"
UNAVAILABLE: Final = "amazon_unavailable"
"""ApplicationError types of failures that Temporal retries."""

PATIENCE: Final = 3
"""Attempts after which a refusal is believed. A single 403 may come from Amazon's edge, and an order that was
announced a moment ago may not be readable yet; both are over at the next attempt, and a hold needs a
person."""


@contextlib.asynccontextmanager
async def asking_amazon(subject: str, role: str = "") -> AsyncIterator[None]:
    """Around an activity's body: heartbeats, and an `AmazonError` leaves as a hold or as a retryable failure.

    subject: begins the sentence, such as "Order 028-1234567-8901234". role: the one of Amazon's roles that the call
    takes; named where Amazon refuses it for want of one.
    """
    with failures_as_temporal_knows_them():
        try:
            async with heartbeating():
                yield
        except AmazonError as error:
            raise outcome(error, subject, role) from None


def outcome(error: AmazonError, subject: str, role: str = "") -> OrderHeld | RetryLater:
    """What `error` means for `subject` at this attempt.

    A refused read is tried again: what was right yesterday is refused in Amazon's outages.
    """
    sentence = f"{subject}: {error.sentence}"
    if error.failure is Failure.QUOTA:
        return RetryLater(sentence, kind=QUOTA, delay=error.retry_after, expected=True)
    reason = _reason(error)
    if reason is None:
        return RetryLater(sentence, kind=UNAVAILABLE)
    if role and error.failure is Failure.NOT_AUTHORISED and error.operation != LWA_OPERATION:
        sentence += f" Give the application the role {role} and authorise it again."
    return OrderHeld(
        Hold(
            reason=reason,
            sentence=sentence,
            system="Amazon",
            code=error.code or str(error.status or ""),
            request_id=error.request_id,
        )
    )


def _reason(error: AmazonError) -> HeldReason | None:
    writing = error.operation == CONFIRM_SHIPMENT.name
    patient = activity.info().attempt < PATIENCE
    match error.failure:
        case Failure.NOT_AUTHORISED:
            # What Login with Amazon refuses it refuses in so many words; SP-API's 403 has many causes.
            from_lwa = error.operation == LWA_OPERATION
            return HeldReason.AMAZON_NOT_AUTHORISED if from_lwa or not patient else None
        case Failure.NOT_FOUND:
            if patient:
                return None
            return HeldReason.SHIPMENT_REFUSED if writing else HeldReason.ORDER_INCOMPLETE
        case Failure.REFUSED:
            return HeldReason.SHIPMENT_REFUSED if writing else None
    return None
