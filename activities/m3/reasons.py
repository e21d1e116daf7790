"""From M3's refusal to the reason an operator knows, by the field M3 names and the message id."""

from typing import Final

from activities.m3.errors import MIError, MIErrorKind
from canonical.held import HeldReason, OrderHeld

_ADDRESS: Final = (
    "CUNM",
    "CUA1",
    "CUA2",
    "CUA3",
    "CUA4",
    "PONO",
    "TOWN",
    "CSCD",
    "ECAR",
    "PHNO",
    "PHN2",
    "DSTX",
)
_BY_FIELD: Final = {
    **dict.fromkeys(_ADDRESS, HeldReason.ADDRESS_REFUSED),
    "CUNO": HeldReason.CUSTOMER_UNUSABLE,
    "ITNO": HeldReason.ITEM_BLOCKED,
    **dict.fromkeys(
        ("ORTP", "FACI", "WHLO", "MODL", "TEDL", "CRID", "CUTM", "ALWT", "ALWQ", "E065", "E0PA"),
        HeldReason.NOT_CONFIGURED,
    ),
}
_BY_CODE: Final = {
    "WCU0203": HeldReason.CUSTOMER_UNUSABLE,
    "XIM0002": HeldReason.CUSTOMER_UNUSABLE,
    "WIT0103": HeldReason.ITEM_BLOCKED,
    "XIT0107": HeldReason.ITEM_BLOCKED,
    "WWH0103": HeldReason.NOT_CONFIGURED,
    "WFAC303": HeldReason.NOT_CONFIGURED,
    "ED01016": HeldReason.NOT_CONFIGURED,
}


def reason_for(error: MIError, otherwise: HeldReason = HeldReason.M3_REFUSED) -> HeldReason:
    """The hold reason of a refusal; `otherwise` where neither field nor message id tells more."""
    if error.kind is MIErrorKind.NOT_AUTHORISED:
        return HeldReason.M3_NOT_AUTHORISED
    return _BY_CODE.get(error.code) or _BY_FIELD.get(error.field) or otherwise


def hold_for(
    error: MIError, order_id: str, *, otherwise: HeldReason = HeldReason.M3_REFUSED, about: str = ""
) -> OrderHeld:
    """The hold of Amazon order `order_id`; `about` says which part of it, such as "line 2"."""
    subject = f"Amazon order {order_id}{f', {about}' if about else ''}"
    return error.as_hold(reason_for(error, otherwise), subject)
