"""How a delivery that Amazon fulfils ends, and why it may not, in sentences."""

from canonical.fulfillment import FulfillmentStatus
from canonical.held import HeldReason, Hold
from canonical.mcf_contracts import McfResult
from workflows.mcf_state import McfState


def not_shipped(state: McfState) -> McfResult:
    """It was given up in time."""
    return state.result(
        "not_shipped",
        f"M3 delivery {state.order_id} was given up and Amazon ships nothing of it; in M3 it still stands.",
    )


def why_nothing(state: McfState) -> Hold:
    """Amazon has ended the order and shipped nothing."""
    snapshot = state.snapshot
    status = snapshot.status if snapshot else FulfillmentStatus.INVALID
    invalid = status is FulfillmentStatus.INVALID
    why = {
        FulfillmentStatus.INVALID: "could not validate it: the address, or not enough stock that can be sold",
        FulfillmentStatus.CANCELLED: "says it was cancelled by the seller, which was not asked for here",
        FulfillmentStatus.UNFULFILLABLE: "found no stock that can be sold",
    }.get(status, "ended it without a shipment")
    return Hold(
        reason=HeldReason.MCF_REFUSED if invalid else HeldReason.MCF_UNFULFILLABLE,
        sentence=f"Fulfilment order {state.fulfillment_order_id} of M3 delivery {state.order_id} ended with "
        f"status {status.value}: Amazon {why}.",
        system="Amazon",
        code=status.value,
    )


def ended(state: McfState, *, arrived: bool) -> McfResult:
    """Goods have left and M3 has been told. arrived: whether all parcels are with their recipient."""
    missing = {
        item: quantity - state.shipped.get(item, 0)
        for item, quantity in state.facts.quantities.items()
        if state.shipped.get(item, 0) < quantity
    }
    numbers = ", ".join(state.tracking_numbers) or "no tracking number"
    how = "and delivered" if arrived else "and not followed further"
    if missing:
        return state.result(
            "partly_shipped",
            f"Amazon shipped a part of M3 delivery {state.order_id} ({numbers}), {how}; not shipped: {told(missing)}. "
            "What M3 still has open comes with its next delivery.",
        )
    return state.result(
        "delivered" if arrived else "shipped",
        f"M3 delivery {state.order_id} was shipped by Amazon ({numbers}), {how}.",
    )


def told(quantities: dict[str, int]) -> str:
    """Pieces by order line, in words."""
    return ", ".join(f"{quantity} of line {item}" for item, quantity in quantities.items()) or "nothing"
