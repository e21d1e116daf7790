"""What each held reason means in the operator's words, and what repairs it."""

from typing import Final, NamedTuple

from canonical.held import FixName, HeldReason


class ReasonInfo(NamedTuple):
    """What an operator is told about a reason."""

    title: str
    what_to_do: str
    fixes: tuple[FixName, ...]


_R = FixName.RETRY
_MAP, _ADDR, _CUST = FixName.MAP_SKU, FixName.CORRECT_ADDRESS, FixName.SET_CUSTOMER
_YES, _NO = FixName.ACCEPT_CANCELLATION, FixName.REFUSE_CANCELLATION
_ACCEPT, _DONE, _CANCEL = FixName.ACCEPT_DIFFERENCE, FixName.MARK_STEP_DONE, FixName.CANCEL

HELD_REASONS: Final[dict[HeldReason, ReasonInfo]] = {
    HeldReason.UNMAPPED_SKU: ReasonInfo(
        "M3 knows no item for a SellerSKU",
        "Tell which M3 item the SKU is: M3 gets the alias (MMS025), and all orders held for the SKU go on.",
        (_MAP, _R, _CANCEL),
    ),
    HeldReason.ITEM_BLOCKED: ReasonInfo(
        "The M3 item cannot be ordered",
        "Release the item in MMS001 (status 20) and retry, or map the SKU to another item.",
        (_R, _MAP, _CANCEL),
    ),
    HeldReason.ADDRESS_DOES_NOT_FIT: ReasonInfo(
        "The delivery address does not fit M3's fields",
        "Send the address in a form that fits (name and four lines of 36, town 20, postcode 10).",
        (_ADDR, _R, _CANCEL),
    ),
    HeldReason.ADDRESS_REFUSED: ReasonInfo(
        "M3 does not accept the delivery address",
        "Correct the field M3 names, or add the country or state to M3 (CRS045) and retry.",
        (_ADDR, _R, _CANCEL),
    ),
    HeldReason.ORDER_INCOMPLETE: ReasonInfo(
        "Amazon's order lacks something M3 needs",
        "Supply the missing address, or retry when Amazon has completed the order.",
        (_ADDR, _R, _CANCEL),
    ),
    HeldReason.NOT_CONFIGURED: ReasonInfo(
        "The configuration does not say how to book this order",
        "Complete the configuration, restart the worker and retry; or enter the order in M3 by hand.",
        (_R, _DONE, _CANCEL),
    ),
    HeldReason.AMOUNTS_INCONSISTENT: ReasonInfo(
        "Amazon's amounts do not add up",
        "Compare with Seller Central; retry reads the order again.",
        (_R, _CANCEL),
    ),
    HeldReason.CUSTOMER_UNUSABLE: ReasonInfo(
        "The M3 customer cannot take orders",
        "Repair the customer in CRS610 (status 20) and retry, or name another customer.",
        (_R, _CUST, _CANCEL),
    ),
    HeldReason.ORDER_REJECTED: ReasonInfo(
        "M3 rejected the batch order",
        "Repair what M3 names, in M3 (OIS275) or here, and retry.",
        (_R, _MAP, _ADDR, _CUST, _DONE, _CANCEL),
    ),
    HeldReason.CREDIT_STOP: ReasonInfo(
        "M3 stopped the order for credit",
        "Release it in M3 (OIS275, OIS120) and retry, or use another customer.",
        (_R, _CUST, _DONE, _CANCEL),
    ),
    HeldReason.DUPLICATE_IN_M3: ReasonInfo(
        "M3 has more than one order for this Amazon order",
        "Delete the wrong one in M3 and retry, or name the right one.",
        (_R, _DONE, _CANCEL),
    ),
    HeldReason.TOTAL_DIFFERS: ReasonInfo(
        "M3's order total differs from Amazon's",
        "Correct the order in M3 and retry, or accept the difference.",
        (_ACCEPT, _R, _CANCEL),
    ),
    HeldReason.ORDER_CHANGED: ReasonInfo(
        "Amazon changed the order after it was booked in M3",
        "Change the M3 order to match, then accept the difference.",
        (_ACCEPT, _R, _CANCEL),
    ),
    HeldReason.CANCELLED_TOO_LATE: ReasonInfo(
        "Amazon cancelled an order that M3 is already picking or has shipped",
        "Stop the delivery in M3 and retry; where goods are gone, mark the step done, and their return is followed.",
        (_R, _DONE),
    ),
    HeldReason.CANCELLATION_REQUESTED: ReasonInfo(
        "The buyer asks to cancel the order or a part of it",
        "Accept, and cancel it in Seller Central too; or refuse, and it is shipped. Until then nothing is stopped.",
        (_YES, _NO),
    ),
    HeldReason.SHIPMENT_NOT_REPORTABLE: ReasonInfo(
        "M3 does not take the report that goods have left",
        "Allocate or correct the delivery in M3 and retry, or name the delivery that was reported by hand.",
        (_R, _DONE),
    ),
    HeldReason.SHIPPED_TOO_MUCH: ReasonInfo(
        "Amazon says that it shipped more than was ordered",
        "Book the surplus out of Amazon's stock in M3 by hand and accept; retry reads the order again.",
        (_ACCEPT, _R),
    ),
    HeldReason.SHIPPED_TOO_LITTLE: ReasonInfo(
        "Amazon calls the order shipped, and shipped less than was ordered",
        "Accept where nothing more comes, and close the rest of M3's order by hand; retry reads the order again.",
        (_ACCEPT, _R),
    ),
    HeldReason.SHIPMENT_REFUSED: ReasonInfo(
        "Amazon refused the shipment confirmation",
        "Compare with Seller Central; retry, or mark the confirmation done.",
        (_R, _DONE),
    ),
    HeldReason.CARRIER_UNKNOWN: ReasonInfo(
        "No Amazon carrier is configured for M3's forwarder",
        "Add the forwarder to the carrier map, restart the worker and retry, or mark the confirmation done.",
        (_R, _DONE),
    ),
    HeldReason.INVOICE_MISSING: ReasonInfo(
        "M3 has not made the invoice",
        "Look at the delivery in OIS150 (61: approve in OIS155) and retry, or name the invoice.",
        (_R, _DONE),
    ),
    HeldReason.LEDGER_MISMATCH: ReasonInfo(
        "The voucher does not equal the invoice",
        "Correct it in M3's ledger and retry, accept the difference, or name the voucher.",
        (_R, _ACCEPT, _DONE),
    ),
    HeldReason.SHIPPED_AFTER_CLOSE: ReasonInfo(
        "Amazon shipped goods of an order that was closed here",
        "Enter what left in M3 and mark the step done with the order's number; accept where M3 needs nothing.",
        (_R, _DONE, _ACCEPT),
    ),
    HeldReason.CANCELLED_AFTER_CLOSE: ReasonInfo(
        "Amazon cancelled an order that M3 has shipped and invoiced",
        "Take the goods back in M3 as a return and mark the step done with M3's order number; or accept.",
        (_R, _DONE, _ACCEPT),
    ),
    HeldReason.REFUNDED_AFTER_CLOSE: ReasonInfo(
        "Amazon refunded an order that was closed here",
        "Credit it in M3 and mark the step done with the voucher; accept where the settlement books it.",
        (_R, _DONE, _ACCEPT),
    ),
    HeldReason.M3_REFUSED: ReasonInfo(
        "M3 refused a call for a reason this service does not know",
        "Read M3's message, repair the cause and retry.",
        (_R, _DONE, _CANCEL),
    ),
    HeldReason.M3_UNAVAILABLE: ReasonInfo(
        "M3 did not answer",
        "Retry when M3 is back; nothing was lost and nothing is done twice.",
        (_R, _DONE, _CANCEL),
    ),
    HeldReason.M3_NOT_AUTHORISED: ReasonInfo(
        "M3 does not let this service do it",
        "Give the service account the authority M3 names and retry.",
        (_R, _CANCEL),
    ),
    HeldReason.AMAZON_UNAVAILABLE: ReasonInfo(
        "Amazon did not answer", "Retry when Amazon is back.", (_R, _DONE, _CANCEL)
    ),
    HeldReason.AMAZON_NOT_AUTHORISED: ReasonInfo(
        "Amazon does not let this service do it",
        "Renew the authorisation or the role in Seller Central and retry.",
        (_R, _DONE, _CANCEL),
    ),
    HeldReason.INTERNAL_ERROR: ReasonInfo(
        "This service met an error of its own",
        "Report what happened, as it stands here; retry after an update.",
        (_R, _DONE, _CANCEL),
    ),
    HeldReason.MCF_SKU_UNKNOWN: ReasonInfo(
        "An M3 item has no SellerSKU by which Amazon could ship it, or several",
        "Say which SellerSKU it is; or keep one alias of the configured kind in MMS025 and retry.",
        (_MAP, _R, _CANCEL),
    ),
    HeldReason.MCF_REFUSED: ReasonInfo(
        "Amazon does not take the fulfilment order",
        "Correct what Amazon names (address, SellerSKU, stock) and retry, or send it another way and cancel.",
        (_R, _ADDR, _MAP, _CANCEL),
    ),
    HeldReason.MCF_UNFULFILLABLE: ReasonInfo(
        "Amazon ships nothing of the fulfilment order",
        "Retry makes a new fulfilment order, when there is stock; or send it another way and cancel.",
        (_R, _ADDR, _MAP, _CANCEL),
    ),
    HeldReason.MCF_NOT_DELIVERED: ReasonInfo(
        "Amazon has not shipped or delivered a fulfilment order in time, or has lost a parcel",
        "Ask Amazon; retry looks again and waits on, accept the difference closes it as it stands.",
        (_R, _ACCEPT, _CANCEL),
    ),
    HeldReason.RETURN_ODD: ReasonInfo(
        "What Amazon tells of a return does not fit together",
        "Compare with Seller Central and M3; accept the difference, or retry when Amazon has corrected it.",
        (_ACCEPT, _R, _CANCEL),
    ),
    HeldReason.RETURN_OVERDUE: ReasonInfo(
        "A refund, a return or a reimbursement has been missing for too long",
        "Claim what is missing from Amazon and retry, or accept that it will not come.",
        (_R, _ACCEPT, _CANCEL),
    ),
    HeldReason.RETURN_REFUSED: ReasonInfo(
        "M3 does not take the customer return",
        "Repair what M3 names and retry, or name the customer return (REPN) that was entered by hand.",
        (_R, _DONE, _CANCEL),
    ),
    HeldReason.CREDIT_MISSING: ReasonInfo(
        "M3 has not credited a customer return",
        "Look at the return in OIS390 and retry, or name the credit invoice.",
        (_R, _DONE, _CANCEL),
    ),
    HeldReason.CREDIT_DIFFERS: ReasonInfo(
        "M3 has credited another amount than Amazon refunded",
        "Credit the rest in M3 and name the credit invoice, or accept the difference.",
        (_DONE, _ACCEPT, _R, _CANCEL),
    ),
    HeldReason.SETTLEMENT_UNREADABLE: ReasonInfo(
        "A settlement report cannot be read",
        "Compare the archived file with Seller Central; retry reads it again, a re-issued report is taken by itself.",
        (_R, _CANCEL),
    ),
    HeldReason.SETTLEMENT_UNKNOWN: ReasonInfo(
        "A settlement has amounts that nobody has said how to book",
        "Add the category or the account to the configuration, restart the worker and retry.",
        (_R, _CANCEL),
    ),
    HeldReason.SETTLEMENT_DIFFERS: ReasonInfo(
        "A settlement does not add up",
        "Compare with Seller Central; a re-issued report is taken by itself. Nothing was posted.",
        (_R, _CANCEL),
    ),
    HeldReason.SETTLEMENT_NO_INVOICE: ReasonInfo(
        "A settlement pays or refunds orders for which M3 has no open amount",
        "Invoice or credit them in M3 and retry; or accept, and they are posted on account.",
        (_R, _ACCEPT, _CANCEL),
    ),
    HeldReason.SETTLEMENT_REFUSED: ReasonInfo(
        "A settlement's batch cannot be posted in M3",
        "Repair what M3 names, or the accounts here, and retry; where it was posted by hand, name the voucher.",
        (_R, _DONE, _CANCEL),
    ),
    HeldReason.SETTLEMENT_NOT_POSTED: ReasonInfo(
        "M3 has not posted a settlement's batch",
        "Look at the batch in GLS840 or ARS040, have it updated there and retry; or name the voucher.",
        (_R, _DONE, _CANCEL),
    ),
    HeldReason.SETTLEMENT_MISPOSTED: ReasonInfo(
        "M3's vouchers are not what the settlement says",
        "Correct the vouchers in M3 and retry, or accept the difference.",
        (_R, _ACCEPT, _CANCEL),
    ),
    HeldReason.STOCK_CORRECTION_TO_APPROVE: ReasonInfo(
        "Corrections of Amazon's stock are larger than what goes by itself",
        "Compare with the inventory ledger in Seller Central; accept, and they are booked, or cancel, and they are "
        "left out.",
        (_ACCEPT, _CANCEL),
    ),
    HeldReason.STOCK_ADJUSTMENT_UNKNOWN: ReasonInfo(
        "Nobody has said what an adjustment of Amazon's stock means in M3",
        "Map the SKU, or add the reason or the warehouse to the configuration and restart the worker; then retry. Or "
        "accept, and they are left out.",
        (_R, _ACCEPT, _CANCEL),
    ),
    HeldReason.STOCK_CORRECTION_REFUSED: ReasonInfo(
        "M3 does not take a correction of Amazon's stock",
        "Repair what M3 names and retry; or book it by hand in M3 and accept, and it is left out here.",
        (_R, _ACCEPT, _CANCEL),
    ),
}

MCF_REASONS: Final = frozenset(reason for reason in HeldReason if reason.value.startswith("mcf_"))
"""Reasons that no Amazon order is held for, only an M3 delivery that Amazon fulfils."""
RETURN_REASONS: Final = frozenset(
    {
        HeldReason.RETURN_ODD,
        HeldReason.RETURN_OVERDUE,
        HeldReason.RETURN_REFUSED,
        HeldReason.CREDIT_MISSING,
        HeldReason.CREDIT_DIFFERS,
    }
)
"""Reasons that only a return case is held for."""
SETTLEMENT_REASONS: Final = frozenset(
    reason for reason in HeldReason if reason.value.startswith("settlement_")
)
"""Reasons that only a settlement is held for."""
STOCK_REASONS: Final = frozenset(reason for reason in HeldReason if reason.value.startswith("stock_"))
"""Reasons that only corrections of Amazon's own stock are held for."""
ORDER_REASONS: Final = tuple(
    reason
    for reason in HeldReason
    if reason not in MCF_REASONS | RETURN_REASONS | SETTLEMENT_REASONS | STOCK_REASONS
)
"""Reasons for which an Amazon order can be held."""
