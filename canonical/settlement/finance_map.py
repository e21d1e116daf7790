"""The names that Amazon's Finances API is known to give amounts, and the categories they correspond to.

Amazon publishes neither the transaction types (its model names `Shipment` alone) nor the breakdown types. Where these
come from stands with them:

- `sample`: a transaction of a Swedish shipment that was published whole;
- `census`: every breakdown type in 13,818 transactions of a seller in the United States, by transaction type;
- `tables`: tables that other programs in use keep for this API, and issues of amzn/selling-partner-api-models (4237,
  4244, 4993);
- `v0`: names of the older Finances API, not seen in this one;
- `inferred`: made after the names beside it.

The names are not those of the settlement report. Fees and withheld tax mostly have the same (`FinanceNames` looks
there), goods, shipping, storage and the subscription do not. A category of `ROLLED_UP` says that no row of a
settlement can be told from the name: the sum of a group without its parts, or the payout itself. Where Amazon breaks
nothing down, its description of the transaction is the name.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

ROLLED_UP: Final = ""


class KnownName(NamedTuple):
    """A name of the Finances API. `*` at the end of a text stands for any ending."""

    transaction_type: str
    breakdown_type: str
    category: str
    source: str


_SALE: Final = {
    "revenue_product": "OurPricePrincipal",
    "revenue_shipping": "ShippingPrincipal",
    "revenue_giftwrap": "GiftwrapPrincipal",
    "tax_collected": "OurPriceTax|ShippingTax|GiftwrapTax",
    "promo_product": "OurPriceDiscount|Promo",
    "promo_shipping": "ShippingDiscount",
    ROLLED_UP: "AmazonFees|FBAFees|ProductCharges",
}
_REFUND: Final = {
    "refund_product": "OurPricePrincipal",
    "refund_shipping": "ShippingPrincipal",
    "refund_giftwrap": "GiftwrapPrincipal",
    "refund_tax": "OurPriceTax|ShippingTax|GiftwrapTax|RestockingDeductionTax",
    "refund_promo_reversed": "OurPriceDiscount|ShippingDiscount|Promo",
    "refund_goodwill": "GoodwillPrincipal",
    "refund_restocking_fee": "RestockingDeductionPrincipal",
}
_SERVICES: Final = {
    "fee_fba_storage": "FBAStorageFee",
    "fee_fba_storage_long_term": "FBALongTermStorageFee",
    "fee_fba_inbound_transport": "FBAInboundTransportationFee",
    "fee_fba_inbound_placement": "FBAInboundConvenienceFee",
    "fee_fba_removal_disposal": "FBARemovalFee|FBADisposalFee",
    "fee_fba_customer_return": "CustomerReturnHRRUnitFee",
    "fee_subscription": "Subscription",
    "fee_premium_services": "PaidServicesFee",
    "fee_coupon": "CouponParticipationFee|CouponPerformanceFee",
    "fee_tax": "Tax",
}
_SERVICES_ELSEWHERE: Final = {
    "fee_fba_storage": "StorageBillingFee|FBAStorageBilling",
    "fee_fba_storage_long_term": "LongTermStorageFee|FBALongTermStorageBilling",
    "fee_fba_inbound_transport": (
        "InboundTransportationFee|FBAInboundTransportationProgramFee|FBAPostInboundTransportation"
    ),
    "fee_fba_inbound_defect": "FBAInboundDefectFee",
    "fee_fba_removal_disposal": "FBARemoval|FBADisposal",
    "fee_fba_customer_return": "FBACustomerReturnPerUnitFee|FBACustomerReturn|HRRNonApparelRollup",
    "fee_awd": (
        "STARStorageFee|AmazonUpstreamProcessingFee|AmazonUpstreamStorageTransportationFee|AWDTransportationFee"
    ),
    "fee_subscription": "SubscriptionFee",
    "fee_deal": "DealParticipationFee|DealPerformanceFee",
    "fee_vine_or_early_reviewer": "VineFee",
    "fee_digital_services": "DigitalServicesFee|DigitalServicesFeeFBA",
}
_LIQUIDATION: Final = {"revenue_liquidation": "RecommerceLiquidation", "fee_liquidation": "AmazonFees"}
_STOCK: Final = {
    "reimbursement_inventory": "FBAInventoryReimbursement",
    "reimbursement_clawback": "FBAReversedReimbursement",
}

_NAMES: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("Shipment", "sample, census"): _SALE,
    ("Shipment", "tables"): {
        "tax_collected": "BaseTax",
        "promo_tax": "ShippingTaxDiscount",
        ROLLED_UP: "Order Payment",
    },
    ("Shipment", "inferred"): {"promo_tax": "OurPriceTaxDiscount"},
    ("Refund", "census"): _REFUND,
    ("Refund", "tables"): {
        "refund_return_shipping": "ReturnShippingDeductionPrincipal",
        "points_reversed": "PointsReclaimed",
        "refund_promo_reversed": "ShippingTaxDiscount",
        ROLLED_UP: "Refund Order|Refund",
    },
    ("Refund", "inferred"): {
        "refund_promo_reversed": "OurPriceTaxDiscount",
        ROLLED_UP: "AmazonFees|FBAFees|ProductCharges",
    },
    ("Chargeback", "v0"): {"claim_chargeback": "OurPricePrincipal", "refund_tax": "OurPriceTax"},
    ("ServiceFee", "census"): _SERVICES,
    ("ServiceFee", "tables"): _SERVICES_ELSEWHERE,
    ("ServiceFee", "v0"): {"fee_fba_grade_resell": "ReCommerceGradingAndListingCharge"},
    ("ProductAdsPayment", "census"): {
        "fee_advertising": "AdvertisingFee",
        "fee_advertising_refund": "AdvertisingFeeRefund",
    },
    ("ProductAdsPayment", "tables"): {"fee_advertising": "ProductAdsPayment"},
    ("SellerDealPayment", "v0"): {"fee_deal": "*"},
    ("CouponPayment", "v0"): {"fee_coupon": "*"},
    ("FBAInventoryReimbursement", "census"): _STOCK,
    ("Adjustment", "tables"): _STOCK,
    ("Adjustment", "census"): {
        "reserve_held": "ReserveDebit",
        "reserve_released": "ReserveCredit",
        "tax_retrocharge": "Tax|MarketplaceFacilitatorTax-Principal",
        **_LIQUIDATION,
    },
    ("MiscellaneousLedgerAdjustment", "census"): {"adjustment_fee": "Other"},
    ("RemovalShipment", "census"): {
        "tax_collected": "TaxOnRevenue",
        "tax_withheld_marketplace": "MarketplaceFacilitatorTax-Principal",
        **_LIQUIDATION,
    },
    ("Retrocharge", "census"): {
        "tax_retrocharge": "BaseTax|ShippingTax|MarketplaceFacilitatorTax-Principal|RetrochargeReversal|Other",
    },
    ("Retrocharge", "tables"): {
        "tax_retrocharge": "MarketplaceFacilitatorVAT-Principal|MarketplaceFacilitatorVAT-Shipping",
    },
    ("Transfer", "census"): {ROLLED_UP: "FundTransfer"},
    ("Transfer", "tables"): {"disbursement_failed": "FailedDisbursement", ROLLED_UP: "Disbursement"},
    ("Transfer", "inferred"): {"bank_micro_deposit": "MicroDeposit"},
    ("DebtRecovery", "tables"): {"paid_to_amazon_by_card": "DebtPayment"},
    ("LoanServicing", "v0"): {"loan_repayment": "LoanPayment"},
    ("*", "tables"): {
        "shipping_label": "PostageBilling_*",
        "shipping_label_return": "ReturnPostageBilling_*",
    },
}

PLACES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "Shipment": (("Order", "ItemFees"), ("Order", "ItemWithheldTax"), ("Order", "ShipmentFees"), ("Order", "Points")),
    "Refund": (("Refund", "ItemFees"), ("Refund", "ItemWithheldTax")),
    "Chargeback": (("Chargeback Refund", "ItemFees"), ("Chargeback Refund", "ItemWithheldTax")),
    "ServiceFee": (("other-transaction", "other-transaction"),),
    "Adjustment": (
        ("other-transaction", "other-transaction"),
        ("other-transaction", "FBA Inventory Reimbursement"),
        ("other-transaction", "MCF Inventory Reimbursement"),
    ),
    "FBAInventoryReimbursement": (("other-transaction", "FBA Inventory Reimbursement"),),
}  # fmt: skip
"""Transaction types of the Finances API whose names are also looked for in the settlement's map, and where there:
transaction type and amount type. In every transaction that was published, fees, withheld tax and reimbursements have
the name that the settlement gives as amount description."""
ORDERS: Final = frozenset({"shipment", "refund", "chargeback"})
"""Transaction types about orders: the buyer's money of these is a customer payment and needs no account."""
WRAPPERS: Final = frozenset({"sales", "expenses", "refundedsales", "refundedexpenses", "refunds"})
"""Nodes that gather and say nothing (census)."""
TAX: Final = "tax"
PARTS: Final = frozenset({"base", TAX, "promo", "discount"})
"""What a fee is made of (sample, tables)."""
GROUPS: Final = frozenset(
    {"amazonfees", "fbafees", "servicesfees", "productcharges", "shipping", "giftwrap", TAX, "promorebates"}
)
"""Nodes that gather amounts of a kind (sample, census, tables): what is below them has a name of its own."""


def known_names() -> Iterator[KnownName]:
    """Every known name."""
    for (transaction_type, source), named in _NAMES.items():
        for category, names in named.items():
            for name in names.split("|"):
                yield KnownName(transaction_type, name, category, source)
