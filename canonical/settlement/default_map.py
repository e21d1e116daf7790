"""The map from the combinations Amazon is known to write to categories.

Amazon publishes no list of them. These come from settlements of real sellers and from the names in its Finances
model; what is not here stops a settlement until it is added. Several texts of one category are parted by `|`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from canonical.settlement.categories import MapEntry

_Described = Mapping[str, str]
"""Category, and the descriptions that have it."""

_TAXES: Final = "Tax|ShippingTax|GiftWrapTax|CODTax"
_FACILITATOR: Final = "|".join(
    f"MarketplaceFacilitator{tax}-{part}"
    for tax in ("Tax", "VAT")
    for part in ("Principal", "Shipping", "Giftwrap", "Other", "RestockingFee")
)
_LOW_VALUE: Final = "LowValueGoodsTax-Principal|LowValueGoodsTax-Shipping|LowValueGoodsTax-Other"
_AT_SOURCE: Final = "TCS-CGST|TCS-SGST|TCS-IGST|TDS (Section 194-O)"
_FBA_PER_ITEM: Final = (
    "FBAPerUnitFulfillmentFee|FBAPerOrderFulfillmentFee|FBAWeightBasedFee|FBAPickAndPackFee|TechnologyFee"
)
_ITEM_FEES: Final[_Described] = {
    "fee_commission": "Commission",
    "fee_fba_fulfilment": _FBA_PER_ITEM,
    "fee_digital_services": "DigitalServicesFee",
    "fee_shipping_chargeback": "ShippingChargeback",
    "fee_shipping_holdback": "ShippingHB",
    "fee_giftwrap_chargeback": "GiftwrapChargeback",
    "fee_tax_calculation": "SalesTaxServiceFee",
    "fee_closing": "VariableClosingFee|FixedClosingFee",
    "fee_listing": "HighVolumeListingFee",
    "fee_cod": "CODFee",
}
_NAMED_FEES: Final[_Described] = {
    "fee_fba_customer_return": "CustomerReturnHRRUnitFee",
    "fee_fba_storage": "FBALowInventoryLevelFee",
    "fee_fba_storage_long_term": "FBAAgedInventorySurcharge",
    "fee_fba_inbound_placement": "FBAInboundConvenienceFee",
    "fee_fba_grade_resell": "ReCommerceGradingCharge",
    "fee_fba_fulfilment": "FBAOverSizeSurcharge",
}
"""Fees whose own name says what they are, wherever Amazon puts them."""

_FEES_BACK: Final[_Described] = {
    "refund_fee_returned": "|".join((*_ITEM_FEES.values(), "RemoteFulfillmentCredit")),
    "fee_refund_administration": "RefundCommission",
    "refund_return_shipping": "ReturnShipping",
}
_WITHHELD_BACK: Final[_Described] = {
    "refund_tax_withheld_reversed": f"{_FACILITATOR}|{_LOW_VALUE}",
    "tax_withheld_at_source": _AT_SOURCE,
}
_PROMOTIONS_BACK: Final[_Described] = {"refund_promo_reversed": "Principal|Shipping|TaxDiscount"}

_OF_ORDERS: Final[Mapping[tuple[str, str], _Described]] = {
    ("Order", "ItemPrice"): {
        "revenue_product": "Principal",
        "revenue_shipping": "Shipping",
        "revenue_giftwrap": "GiftWrap",
        "revenue_cod": "COD",
        "revenue_regulatory_fee_charged": "RegulatoryFee",
        "tax_collected": _TAXES,
        "refund_goodwill": "Goodwill",
        "adjustment_other": "GenericDeduction",
        "fee_other": "PaymentMethodFee",
    },
    ("Order", "ItemFees"): _ITEM_FEES,
    ("Order", "ItemWithheldTax"): {
        "tax_withheld_marketplace": _FACILITATOR,
        "tax_withheld_low_value_goods": _LOW_VALUE,
        "tax_withheld_at_source": _AT_SOURCE,
    },
    ("Order", "Promotion"): {
        "promo_product": "Principal",
        "promo_shipping": "Shipping",
        "promo_tax": "TaxDiscount",
    },
    ("Order", "Points"): {"points_granted": "PointsGranted"},
    ("Order", "ShipmentFees"): {
        "fee_mcf_fba_transport": "FBA transportation fee|FBATransportationFee",
        "fee_fba_fulfilment": "FBAPerOrderFulfillmentFee",
        "fee_mcf": "Multi-Channel Fulfillment Brand-Neutral Box Fee",
    },
    ("Order", "DirectPayment"): {"revenue_cod_collected_by_seller": "COD"},
    ("Order", "OrderFees"): {"fee_other": "OrderFee"},
    ("Refund", "ItemPrice"): {
        "refund_product": "Principal|COD",
        "refund_tax": _TAXES,
        "refund_shipping": "Shipping",
        "refund_giftwrap": "GiftWrap",
        "refund_goodwill": "Goodwill",
        "refund_restocking_fee": "RestockingFee",
        "refund_regulatory_fee": "RegulatoryFee",
        "refund_return_shipping": "ReturnShipping|FreeReplacementReturnShipping",
        "points_reversed": "PointsFee",
    },
    ("A-to-z Guarantee Refund", "ItemPrice"): {
        "claim_a_to_z": "Principal|Shipping|GiftWrap",
        "refund_tax": _TAXES,
    },
    ("Chargeback Refund", "ItemPrice"): {
        "claim_chargeback": "Principal|Shipping|GiftWrap",
        "refund_tax": _TAXES,
    },
    ("Liquidations", "ItemPrice"): {"revenue_liquidation": "Principal", "tax_collected": "Tax"},
    ("Liquidations", "ItemFees"): {"fee_liquidation": "LiquidationsBrokerageFee"},
    ("Liquidations", "ItemWithheldTax"): {"tax_withheld_marketplace": _FACILITATOR},
    ("Fee Adjustment", "ItemFees"): {"adjustment_fee": "|".join(_ITEM_FEES.values())},
    ("Grade and Resell Fees", "ItemFees"): {"fee_fba_grade_resell": "Grade and Resell Fee"},
}

_MADE_OF_BASE_TAX_AND_DISCOUNT: Final[Mapping[tuple[str, str], str]] = {
    ("AmazonFees", "Vine Enrollment Fee"): "fee_vine_or_early_reviewer",
    ("AmazonFees", "Premium Services Fee"): "fee_premium_services",
    ("FBAFees", "FBA Inventory Storage Fee"): "fee_fba_storage",
    ("FBAFees", "FBA Long Term Storage Fee"): "fee_fba_storage_long_term",
    ("FBAFees", "FBA Removal Order: Disposal Fee"): "fee_fba_removal_disposal",
    ("FBAFees", "FBA Removal Order: Return Fee"): "fee_fba_removal_disposal",
    ("FBAFees", "FBA Amazon-Partnered Carrier Shipment Fee"): "fee_fba_inbound_transport",
    ("FBAFees", "FBA Customer Returns Fee"): "fee_fba_customer_return",
    ("FBAFees", "AWD Processing Fee"): "fee_awd",
    ("FBAFees", "AWD Storage Fee"): "fee_awd",
    ("FBAFees", "AWD Transportation Fee"): "fee_awd",
}
"""Fees that come as up to three amounts."""

_OTHER: Final[_Described] = {
    "reserve_held": "Current Reserve Amount",
    "reserve_released": "Previous Reserve Amount Balance",
    "balance_carried_forward": "Payable to Amazon",
    "paid_to_amazon_by_card": "Successful charge",
    "disbursement_failed": "Failed Disbursement|Transfer of funds unsuccessful: *",
    "bank_micro_deposit": "Micro Deposit",
    "fee_subscription": "Subscription Fee",
    "fee_fba_storage": "Storage Fee",
    "fee_fba_storage_long_term": "StorageRenewalBilling",
    "fee_fba_removal_disposal": "DisposalComplete|RemovalComplete",
    "fee_fba_inbound_transport": (
        "FBAInboundTransportationFee|Inbound Transportation Fee|AGSGlobalInboundTransportation"
    ),
    "fee_fba_inbound_placement": "FBA Inbound Placement Service Fee",
    "fee_fba_inbound_defect": "Manual Processing Fee|Manual Processing Fee Reimbursement",
    "fee_fba_customer_return": (
        "FBACustomerReturnPerOrderFee|FBACustomerReturnPerUnitFee|FBACustomerReturnWeightBasedFee"
    ),
    "fee_premium_services": "Paid Services Fee",
    "fee_deal": "LightningDealFee Special",
    "fee_advertising": "CostOfAdvertising",
    "fee_shipping_holdback": "ShippingHB",
    "fee_tax": "Tax",
    "fee_other": "TransactionTotalAmount",
    "adjustment_fee": "NonSubscriptionFeeAdj",
    "adjustment_other": (
        "BuyerRecharge|MiscAdjustment|Promotion Adjustment|BalanceAdjustment|Additional Other Expenses"
    ),
    "shipping_label": "Shipping label purchase|ShippingServices|PostageBilling",
    "shipping_label_return": "Shipping label purchase for return|ReturnPostageBilling",
    "shipping_label_refund": "ShippingServicesRefund|PostageRefund",
    "shipping_label_adjustment": "Adjustment",
    "reimbursement_inventory": (
        "InboundCarrierDamage|REMOVAL_ORDER_DAMAGED|REMOVAL_ORDER_LOST|MULTICHANNEL_ORDER_DAMAGED"
    ),
    "reimbursement_fee_correction": "INCORRECT_FEES_ITEMS|INCORRECT_FEES_NON_ITEMIZED",
    "reimbursement_other": "Refund Reimbursal|MULTICHANNEL_ORDER_LATE",
    "loan_repayment": "Amazon Capital Services",
    "bad_debt": "Merchant Bad Debt",
    "tax_withheld_at_source": "Income Tax Charged",
}
_STOCK_REIMBURSED: Final[_Described] = {
    "reimbursement_inventory": (
        "WAREHOUSE_LOST|WAREHOUSE_DAMAGE|WAREHOUSE_DAMAGE_EXCEPTION|WAREHOUSE_LOST_MANUAL|MISSING_FROM_INBOUND|"
        "REVERSAL_REIMBURSEMENT|RE_EVALUATION|CS_ERROR_ITEMS|FREE_REPLACEMENT_REFUND_ITEMS|CRETURN_WRONG_ITEM|"
        "FBA Inventory Reimbursement - Customer Return"
    ),
    "reimbursement_clawback": "MISSING_FROM_INBOUND_CLAWBACK|COMPENSATED_CLAWBACK",
}
_DEALS: Final[_Described] = {"fee_deal": "Promotion Fee|Promotion Fee Special"}
_NOT_OF_ORDERS: Final[Mapping[tuple[str, str], _Described]] = {
    ("other-transaction", "other-transaction"): _OTHER,
    ("other-transaction", "FBA Inventory Reimbursement"): _STOCK_REIMBURSED,
    ("other-transaction", "MCF Inventory Reimbursement"): {
        "reimbursement_inventory": "MULTICHANNEL_ORDER_LOST",
    },
    ("other-transaction", "Inbound Defect Fee"): {"fee_fba_inbound_defect": "*"},
    ("other-transaction", "Capacity Reservation Fee"): {
        "fee_fba_storage": "Reservation Fee|Performance Credits",
        "fee_tax": "Tax",
    },
    ("other-transaction", "Amazon Warehousing & Distribution (AWD)"): {
        "fee_awd": "AWD Processing Fee|AWD Storage Fee|AWD Transportation Fee",
    },
    ("ServiceFee", "Cost of Advertising"): {
        "fee_advertising": "TransactionTotalAmount",
        "fee_tax": "TaxAmount",
    },
    ("ServiceFee", "Refund for Advertiser"): {"fee_advertising_refund": "TransactionTotalAmount"},
    ("ServiceFee", "Deals"): _DEALS,
    ("Promotion Fee", "Deals"): _DEALS,
    ("Promotion Fee", "PromotionFee"): _DEALS,
    ("CouponRedemptionFee", "CouponRedemptionFee"): {"fee_coupon": "*"},
    ("Lightning Deal Fee", "other-transaction"): {"fee_deal": "Lightning Deal Fee"},
    ("SellerReviewEnrollmentPayment", "SellerReviewEnrollmentPayment"): {
        "fee_vine_or_early_reviewer": "SellerReviewEnrollmentPayment",
    },
    ("Vine Enrollment Fee", "Vine Enrollment Fee"): {"fee_vine_or_early_reviewer": "Vine Enrollment Fee"},
    ("SAFE-T Reimbursement", "other-transaction"): {"reimbursement_safe_t": "SAFE-T Reimbursement"},
    ("Seller Rewards", "Seller Rewards"): {"income_seller_rewards": "Seller Rewards"},
    ("Commingling VAT", "other-transaction"): {"commingling_vat": "Commingling VAT"},
    ("Transfers", "Micro Deposit"): {"bank_micro_deposit": "Micro Deposit"},
    ("Income Tax Charged", "other-transaction"): {"tax_withheld_at_source": "Income Tax Charged"},
}

V1_AMOUNT: Final = "other-amount"
"""Amount type of the old layout's last column, whose transaction type says everything."""


def default_entries() -> tuple[MapEntry, ...]:
    """Every known combination."""
    return tuple(MapEntry.model_construct(None, **entry) for entry in _entries())


def _entries() -> Iterator[dict[str, str]]:
    for (transaction, amount), described in {**_OF_ORDERS, **_NOT_OF_ORDERS}.items():
        yield from _each(transaction, amount, described)
    for transaction in ("Refund", "A-to-z Guarantee Refund", "Chargeback Refund"):
        yield from _each(transaction, "ItemFees", _FEES_BACK)
        yield from _each(transaction, "ItemWithheldTax", _WITHHELD_BACK)
        yield from _each(transaction, "Promotion", _PROMOTIONS_BACK)
    for transaction in ("Order_Retrocharge", "Refund_Retrocharge", "Liquidations Adjustments"):
        yield from _each(transaction, "ItemPrice", {"tax_retrocharge": _TAXES})
        yield from _each(transaction, "ItemWithheldTax", {"tax_retrocharge": _FACILITATOR})
    for (transaction, amount), category in _MADE_OF_BASE_TAX_AND_DISCOUNT.items():
        yield from _each(transaction, amount, {category: "Base fee|Discount on fee", "fee_tax": "Tax on fee"})
    yield from _each("*", "*", _NAMED_FEES)
    for described in (_OTHER, _STOCK_REIMBURSED):
        for category, texts in described.items():
            for text in texts.split("|"):
                yield from _each(text, V1_AMOUNT, {category: ""})


def _each(transaction: str, amount: str, described: _Described) -> Iterator[dict[str, str]]:
    for category, texts in described.items():
        for text in texts.split("|"):
            yield {
                "transaction_type": transaction,
                "amount_type": amount,
                "amount_description": text,
                "category": category,
            }
