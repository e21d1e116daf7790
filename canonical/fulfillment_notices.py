"""Reading FULFILLMENT_ORDER_STATUS: what Amazon notifies of a fulfilment order. It knows no "delivered"."""

from collections.abc import Mapping

from canonical.mcf_contracts import FulfillmentChanged

_NOTICE = "fulfillmentorderstatusnotification"


def read_fulfillment_notice(
    payload: Mapping[str, object], notification_id: str = ""
) -> tuple[str, FulfillmentChanged] | None:
    """Seller id and news of a notification's payload; None where it names no fulfilment order.

    Names are read in any case: Amazon's envelopes differ (schema FulfillmentOrderStatusNotification).
    """
    notice = _inner(payload, _NOTICE)
    told = notice if notice is not None else payload
    order_id = _text(told, "sellerfulfillmentorderid")
    if not order_id:
        return None
    shipment = _inner(told, "fulfillmentshipment") or {}
    news = FulfillmentChanged(
        fulfillment_order_id=order_id,
        status=_text(told, "fulfillmentorderstatus"),
        shipment_id=_text(shipment, "amazonshipmentid"),
        shipment_status=_text(shipment, "fulfillmentshipmentstatus"),
        notification_id=notification_id,
    )
    return _text(told, "sellerid"), news


def _inner(tree: Mapping[str, object], name: str) -> Mapping[str, object] | None:
    found = next((value for key, value in tree.items() if key.lower() == name), None)
    return found if isinstance(found, Mapping) else None


def _text(tree: Mapping[str, object], name: str) -> str:
    found = next((value for key, value in tree.items() if key.lower() == name), None)
    return found if isinstance(found, str) else ""
