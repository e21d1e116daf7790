"""Money that belongs to no order: fees of the account, reimbursements of stock, whatever else a settlement holds.

Facts: the words of the rows (real settlement files). Inferred: the names of the transactions in the Finances API.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_OTHER = "other-transaction"
_STOCK = "FBA Inventory Reimbursement"

KINDS: dict[str, tuple[str, str, str, str]] = {
    "subscription": (_OTHER, _OTHER, "Subscription Fee", "ServiceFee"),
    "storage": (_OTHER, _OTHER, "Storage Fee", "ServiceFee"),
    "long_term_storage": (_OTHER, _OTHER, "StorageRenewalBilling", "ServiceFee"),
    "advertising": ("ServiceFee", "Cost of Advertising", "TransactionTotalAmount", "ProductAdsPayment"),
    "inbound": (_OTHER, _OTHER, "Inbound Transportation Fee", "ServiceFee"),
    "return_label": (_OTHER, _OTHER, "Shipping label purchase for return", "ServiceFee"),
    "removal": (_OTHER, _OTHER, "RemovalComplete", "ServiceFee"),
    "disposal": (_OTHER, _OTHER, "DisposalComplete", "ServiceFee"),
    "warehouse_lost": (_OTHER, _STOCK, "WAREHOUSE_LOST", "Adjustment"),
    "warehouse_damage": (_OTHER, _STOCK, "WAREHOUSE_DAMAGE", "Adjustment"),
    "clawback": (_OTHER, _STOCK, "COMPENSATED_CLAWBACK", "Adjustment"),
    "loan_repayment": (_OTHER, _OTHER, "Amazon Capital Services", "LoanServicing"),
    "micro_deposit": (_OTHER, _OTHER, "Micro Deposit", "Transfer"),
}
"""What can happen -> transaction type, amount type and description of its row, and its type in the Finances API."""


class Charge(BaseModel):
    """Body of ``POST /_control/settlements/charges``, and what is kept of it.

    kind: one of KINDS, or the three words of the row themselves (`transaction_type`, `amount_type`, `description`).
    amount: as the seller sees it, a fee below zero. marketplace: its id.
    """

    model_config = ConfigDict(extra="forbid")

    marketplace: str
    amount: Decimal
    kind: str = ""
    transaction_type: str = ""
    amount_type: str = ""
    description: str = ""
    told_as: str = ""
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
            self.transaction_type, self.amount_type, self.description, self.told_as = words
        if not (self.transaction_type and self.amount_type and self.description):
            raise ValueError("Give a kind, or transaction_type, amount_type and description.")
        self.told_as = self.told_as or self.transaction_type
        return self
