"""Money that belongs to no order: fees of the account, reimbursements of stock, whatever else a settlement holds.

Facts: the words of the rows (real settlement files); of the Finances API the types, descriptions and breakdowns of
storage, inbound freight, removals, subscription, advertising and reimbursements (transactions that sellers published).
Inferred: there, those of labels, loans and bank checks.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

_OTHER = "other-transaction"
_STOCK = "FBA Inventory Reimbursement"

_REIMBURSED = "FBAInventoryReimbursement"


class Words(NamedTuple):
    """How a charge is called: its row in the settlement; type, description and breakdown in the Finances API."""

    transaction_type: str
    amount_type: str
    description: str
    told_as: str
    described: str
    broken_down: str


def _fee(description: str, described: str, broken_down: str) -> Words:
    return Words(_OTHER, _OTHER, description, "ServiceFee", described, broken_down)


def _stock(description: str, broken_down: str) -> Words:
    return Words(_OTHER, _STOCK, description, _REIMBURSED, description, broken_down)


_ADS = ("ServiceFee", "Cost of Advertising", "TransactionTotalAmount")
KINDS: dict[str, Words] = {
    "subscription": _fee("Subscription Fee", "Subscription", "Subscription"),
    "storage": _fee("Storage Fee", "FBAStorageBilling", "FBAStorageFee"),
    "long_term_storage": _fee("StorageRenewalBilling", "FBALongTermStorageBilling", "FBALongTermStorageFee"),
    "advertising": Words(*_ADS, "ProductAdsPayment", "ProductAdsPayment", "AdvertisingFee"),
    "inbound": _fee(
        "Inbound Transportation Fee", "FBAPostInboundTransportation", "FBAInboundTransportationFee"
    ),
    "return_label": _fee(
        "Shipping label purchase for return", "ReturnPostageBilling", "ReturnPostageBilling_Postage"
    ),
    "removal": _fee("RemovalComplete", "FBARemoval", "FBARemovalFee"),
    "disposal": _fee("DisposalComplete", "FBADisposal", "FBADisposalFee"),
    "warehouse_lost": _stock("WAREHOUSE_LOST", _REIMBURSED),
    "warehouse_damage": _stock("WAREHOUSE_DAMAGE", _REIMBURSED),
    "clawback": _stock("COMPENSATED_CLAWBACK", "FBAReversedReimbursement"),
    "loan_repayment": Words(
        _OTHER, _OTHER, "Amazon Capital Services", "LoanServicing", "LoanPayment", "LoanPayment"
    ),
    "micro_deposit": Words(_OTHER, _OTHER, "Micro Deposit", "Transfer", "Micro Deposit", "MicroDeposit"),
}
"""What can happen, and how it is called."""


class Charge(BaseModel):
    """Body of ``POST /_control/settlements/charges``, and what is kept of it.

    kind: one of KINDS, or the three words of the row themselves (`transaction_type`, `amount_type`, `description`),
    such as a fee that nobody knows; `told_as`, `described` and `broken_down` are its words in the Finances API, by
    default the row's. amount: as the seller sees it, a fee below zero. marketplace: its id.
    """

    model_config = ConfigDict(extra="forbid")

    marketplace: str
    amount: Decimal
    kind: str = ""
    transaction_type: str = ""
    amount_type: str = ""
    description: str = ""
    told_as: str = ""
    described: str = ""
    broken_down: str = ""
    order_id: str = ""
    sku: str = ""
    quantity: str = ""
    shipment_id: str = ""
    days_ago: float = Field(default=0.0, ge=0)
    seller: str = ""
    at_ms: int = 0
    number: int = 0

    @model_validator(mode="after")
    def _worded(self) -> Charge:
        if self.kind:
            if self.kind not in KINDS:
                raise ValueError(f"{self.kind!r} is no kind of charge; there are {', '.join(KINDS)}.")
            words = KINDS[self.kind]
            self.transaction_type, self.amount_type, self.description = words[:3]
            self.told_as, self.described, self.broken_down = words[3:]
        if not (self.transaction_type and self.amount_type and self.description):
            raise ValueError("Give a kind, or transaction_type, amount_type and description.")
        self.told_as = self.told_as or self.transaction_type
        self.described = self.described or self.description
        self.broken_down = self.broken_down or self.description
        return self
