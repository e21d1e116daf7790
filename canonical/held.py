"""Why an order is held: reasons, repairs, and the hold itself. What each reason means is in `held_reasons`."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class FixName(StrEnum):
    """The repairs an operator can send, as update or as signal of the same name."""

    RETRY = "retry"
    MAP_SKU = "map_sku"
    CORRECT_ADDRESS = "correct_address"
    SET_CUSTOMER = "set_customer"
    ACCEPT_DIFFERENCE = "accept_difference"
    MARK_STEP_DONE = "mark_step_done"
    CANCEL = "cancel"
    ACCEPT_CANCELLATION = "accept_cancellation"
    REFUSE_CANCELLATION = "refuse_cancellation"


class HeldReason(StrEnum):
    """Reason codes: the values of the search attribute HeldReason."""

    UNMAPPED_SKU = "unmapped_sku"
    ITEM_BLOCKED = "item_blocked"
    ADDRESS_DOES_NOT_FIT = "address_does_not_fit"
    ADDRESS_REFUSED = "address_refused"
    ORDER_INCOMPLETE = "order_incomplete"
    NOT_CONFIGURED = "not_configured"
    AMOUNTS_INCONSISTENT = "amounts_inconsistent"
    CUSTOMER_UNUSABLE = "customer_unusable"
    ORDER_REJECTED = "order_rejected"
    CREDIT_STOP = "credit_stop"
    DUPLICATE_IN_M3 = "duplicate_in_m3"
    TOTAL_DIFFERS = "total_differs"
    ORDER_CHANGED = "order_changed"
    CANCELLED_TOO_LATE = "cancelled_too_late"
    CANCELLATION_REQUESTED = "cancellation_requested"
    SHIPMENT_NOT_REPORTABLE = "shipment_not_reportable"
    SHIPPED_TOO_MUCH = "shipped_too_much"
    SHIPPED_TOO_LITTLE = "shipped_too_little"
    SHIPMENT_REFUSED = "shipment_refused"
    CARRIER_UNKNOWN = "carrier_unknown"
    INVOICE_MISSING = "invoice_missing"
    LEDGER_MISMATCH = "ledger_mismatch"
    SHIPPED_AFTER_CLOSE = "shipped_after_close"
    CANCELLED_AFTER_CLOSE = "cancelled_after_close"
    REFUNDED_AFTER_CLOSE = "refunded_after_close"
    M3_REFUSED = "m3_refused"
    M3_UNAVAILABLE = "m3_unavailable"
    M3_NOT_AUTHORISED = "m3_not_authorised"
    AMAZON_UNAVAILABLE = "amazon_unavailable"
    AMAZON_NOT_AUTHORISED = "amazon_not_authorised"
    INTERNAL_ERROR = "internal_error"
    MCF_SKU_UNKNOWN = "mcf_sku_unknown"
    MCF_REFUSED = "mcf_refused"
    MCF_UNFULFILLABLE = "mcf_unfulfillable"
    MCF_NOT_DELIVERED = "mcf_not_delivered"
    RETURN_ODD = "return_odd"
    RETURN_OVERDUE = "return_overdue"
    RETURN_REFUSED = "return_refused"
    CREDIT_MISSING = "credit_missing"
    CREDIT_DIFFERS = "credit_differs"
    SETTLEMENT_UNREADABLE = "settlement_unreadable"
    SETTLEMENT_UNKNOWN = "settlement_unknown"
    SETTLEMENT_DIFFERS = "settlement_differs"
    SETTLEMENT_NO_INVOICE = "settlement_no_invoice"
    SETTLEMENT_REFUSED = "settlement_refused"
    SETTLEMENT_NOT_POSTED = "settlement_not_posted"
    SETTLEMENT_MISPOSTED = "settlement_misposted"
    STOCK_CORRECTION_TO_APPROVE = "stock_correction_to_approve"
    STOCK_ADJUSTMENT_UNKNOWN = "stock_adjustment_unknown"
    STOCK_CORRECTION_REFUSED = "stock_correction_refused"


class ItemCandidate(BaseModel):
    """An M3 item that may be meant by an unmapped SKU."""

    model_config = ConfigDict(frozen=True)

    itno: str
    name: str
    score: int
    """0 to 100, likeness of SKU and title."""
    reasons: tuple[str, ...] = ()
    """What speaks for it, in words."""


class Hold(BaseModel):
    """Why an order is held: all a person needs, and no personal data."""

    model_config = ConfigDict(frozen=True)

    reason: HeldReason
    sentence: str
    """What happened, to which order, in one or two sentences."""
    system: str = ""
    """Amazon, M3, or empty when the rule is ours."""
    code: str = ""
    """Amazon's or M3's error code, such as WIT0103."""
    request_id: str = ""
    field: str = ""
    skus: tuple[str, ...] = ()
    candidates: dict[str, tuple[ItemCandidate, ...]] = {}
    """Likeliest M3 items by SKU."""


class OrderHeld(Exception):  # noqa: N818 - the field says "held"; it is no error of the program
    """A rule or a system says this order cannot go on without a person."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(hold.sentence)
        self.hold = hold


def held(reason: HeldReason, sentence: str, **facts: str) -> OrderHeld:
    """Build the exception for a plain hold: ``raise held(HeldReason.X, "sentence", code="WIT0103")``."""
    return OrderHeld(Hold(reason=reason, sentence=sentence, **facts))
