"""How M3 says no: a message id, a text in the user's language, and the field it concerns when M3 knows it."""

from __future__ import annotations

RECORD_MISSING = "XRE0103"
RECORD_EXISTS = "XRE0104"
NOT_AUTHORIZED = "XAU0008"
CHANGED_BY_USER = "XUP0001"
GENERIC = "CPF9898"
"""Message id without a meaning of its own; only the text tells. Used where no id is documented."""

TEXTS: dict[str, str] = {
    RECORD_MISSING: "Record does not exist",
    RECORD_EXISTS: "The record already exists",
    NOT_AUTHORIZED: "Not authorized for company",
    CHANGED_BY_USER: "Record changed by user M3SRVADM",
    "XDE0001": "Record deleted by user M3SRVADM",
    "XAD0001": "Record added by user M3SRVADM",
    "XO_1130": "Please try again later",
    "XIT0107": "Item status does not allow the operation",
    "XIM0002": "Customer number is invalid",
    "WCU0203": "Customer does not exist",
    "WIT0103": "Item does not exist",
    "WOR0303": "Customer order does not exist",
    "WWH0103": "Warehouse does not exist",
    "WFAC303": "Facility does not exist",
    "WAD1003": "Address does not exist",
    "WMO0103": "Delivery method does not exist",
    "WTE0103": "Delivery terms do not exist",
    "WPO0403": "Alias number does not exist",
    "WDL0203": "Delivery number does not exist",
    "WPL1803": "Picking list suffix does not exist",
    "WMS3703": "Message number does not exist",
    "WMS3804": "Message number already exists",
    "WMS3902": "External message number must be entered",
    "ED01016": "Message type is not set up for the partner",
    "MW42220": "Delivery is not fully packed",
}


class NotOk(Exception):  # noqa: N818 - M3's own word for it is NOK
    """M3 refused the transaction.

    code: message id (see `TEXTS`). field: MI field name, or blank. text: what M3 says, if not the usual text.
    """

    def __init__(self, code: str, field: str = "", text: str = "") -> None:
        self.code = code
        self.field = field
        self.text = text or TEXTS.get(code, "Error in program")
        super().__init__(f"{code} {self.text}")


class DoesNotExist(NotOk):
    """The MI program or transaction called does not exist in this installation."""

    def __init__(self, program: str, transaction: str = "") -> None:
        what = f"Transaction {transaction} of program {program}" if transaction else f"Program {program}"
        super().__init__(GENERIC, text=f"{what} does not exist")
