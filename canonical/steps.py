"""The steps of order-to-cash: values of the search attribute Step and of `mark_step_done`."""

from enum import StrEnum


class Step(StrEnum):
    """Where an order stands, in the field's words."""

    RECEIVED = "received"
    AWAITING_RELEASE = "awaiting_release"
    """Amazon has not released it (PENDING)."""
    ITEMS = "items"
    CUSTOMER = "customer"
    SALES_ORDER = "sales_order"
    AWAITING_SHIPMENT = "awaiting_shipment"
    SHIPMENT = "shipment"
    """FBA: M3 is told that goods left. MFN: Amazon is told."""
    INVOICE = "invoice"
    LEDGER = "ledger"
    CANCELLING = "cancelling"
    FULFILLMENT = "fulfillment"
    """MCF: Amazon is given the fulfilment order."""
    AWAITING_DELIVERY = "awaiting_delivery"
    """MCF: the parcels are on their way."""
    AWAITING_RETURN = "awaiting_return"
    """Return case: something is still to come from Amazon or into the warehouse."""
    RETURNING = "returning"
    """Return case: M3 is told of the customer return."""
    CREDITING = "crediting"
    """Return case: M3 credits the return."""
    READING = "reading"
    """Settlement: the report is read, summed and checked."""
    MATCHING = "matching"
    """Settlement: the invoices of its orders are looked up in M3."""
    PAYMENTS = "payments"
    """Settlement: M3 is told of the customer payments (ARS040)."""
    POSTING = "posting"
    """Settlement: M3 is given the ledger vouchers (GLS840)."""
    VERIFYING = "verifying"
    """Settlement: what M3 has posted is read back."""
    CORRECTING = "correcting"
    """Amazon's own stock: M3 is told of what Amazon did to it (MMS850)."""
    CLOSED = "closed"


MARKABLE_STEPS = (
    Step.SALES_ORDER,
    Step.SHIPMENT,
    Step.INVOICE,
    Step.LEDGER,
    Step.CANCELLING,
    Step.RETURNING,
    Step.CREDITING,
    Step.PAYMENTS,
    Step.POSTING,
)
"""Steps a person may mark done with the M3 number."""
