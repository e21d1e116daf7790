"""What an amount of a settlement is: its category, and how the category is booked.

Categories belong to groups, so that one account may serve a whole group. The buyer's money (goods, shipping, gift
wrap, tax, promotions, tax withheld) is a customer payment against the order's invoice or credit note, as M3
invoices and credits it; everything else goes to the ledger.
"""

from collections.abc import Iterable
from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator

from canonical.settlement.models import PaymentKind


class Category(NamedTuple):
    """One category."""

    name: str
    group: str
    text: str
    """What the voucher's line says; at most 24 characters."""
    kind: PaymentKind | None
    """The customer payment it is a part of; None where it goes to the ledger."""


_PAYMENT: Final = PaymentKind.PAYMENT
_REFUND: Final = PaymentKind.REFUND

_ROWS: Final = (
    Category("revenue_product", "revenue", "Goods", _PAYMENT),
    Category("revenue_shipping", "revenue", "Shipping", _PAYMENT),
    Category("revenue_giftwrap", "revenue", "Gift wrap", _PAYMENT),
    Category("revenue_cod", "revenue", "Cash on delivery charge", _PAYMENT),
    Category("revenue_cod_collected_by_seller", "amazon_balance", "Cash taken by seller", None),
    Category("revenue_liquidation", "liquidation", "Liquidation proceeds", None),
    Category("revenue_regulatory_fee_charged", "revenue", "Regulatory fee charged", _PAYMENT),
    Category("income_seller_rewards", "other_income", "Seller rewards", None),
    Category("tax_collected", "tax", "Tax collected", _PAYMENT),
    Category("tax_withheld_marketplace", "tax", "Tax withheld by Amazon", _PAYMENT),
    Category("tax_withheld_low_value_goods", "tax", "Low value goods tax", _PAYMENT),
    Category("tax_withheld_at_source", "tax_at_source", "Tax withheld at source", None),
    Category("tax_retrocharge", "tax", "Tax corrected later", None),
    Category("promo_product", "promotions", "Promotions", _PAYMENT),
    Category("promo_shipping", "promotions", "Shipping promotions", _PAYMENT),
    Category("promo_tax", "promotions", "Tax on promotions", _PAYMENT),
    Category("points_granted", "promotions", "Points granted", None),
    Category("points_reversed", "promotions", "Points taken back", None),
    Category("refund_product", "refunds", "Refunds of goods", _REFUND),
    Category("refund_shipping", "refunds", "Refunds of shipping", _REFUND),
    Category("refund_giftwrap", "refunds", "Refunds of gift wrap", _REFUND),
    Category("refund_tax", "refunds", "Refunds of tax", _REFUND),
    Category("refund_tax_withheld_reversed", "refunds", "Withheld tax returned", _REFUND),
    Category("refund_promo_reversed", "refunds", "Promotions taken back", _REFUND),
    Category("refund_fee_returned", "fees", "Selling fees returned", None),
    Category("refund_goodwill", "refunds", "Goodwill", _REFUND),
    Category("refund_restocking_fee", "refunds", "Restocking fees", _REFUND),
    Category("refund_return_shipping", "refunds", "Return shipping", _REFUND),
    Category("refund_regulatory_fee", "refunds", "Regulatory fee returned", _REFUND),
    Category("claim_a_to_z", "refunds", "A-to-z claims", _REFUND),
    Category("claim_chargeback", "refunds", "Chargebacks", _REFUND),
    Category("fee_commission", "fees", "Referral fees", None),
    Category("fee_closing", "fees", "Closing fees", None),
    Category("fee_listing", "fees", "Listing fees", None),
    Category("fee_digital_services", "fees", "Digital services fees", None),
    Category("fee_shipping_chargeback", "fees", "Shipping chargebacks", None),
    Category("fee_shipping_holdback", "fees", "Fees on shipping", None),
    Category("fee_giftwrap_chargeback", "fees", "Gift wrap chargebacks", None),
    Category("fee_fba_fulfilment", "fba_fees", "FBA fulfilment fees", None),
    Category("fee_fba_storage", "fba_fees", "FBA storage fees", None),
    Category("fee_fba_storage_long_term", "fba_fees", "FBA aged stock fees", None),
    Category("fee_fba_removal_disposal", "fba_fees", "FBA removal fees", None),
    Category("fee_fba_customer_return", "fba_fees", "FBA return fees", None),
    Category("fee_fba_inbound_transport", "fba_fees", "FBA inbound freight", None),
    Category("fee_fba_inbound_placement", "fba_fees", "FBA placement fees", None),
    Category("fee_fba_inbound_defect", "fba_fees", "FBA inbound defect fees", None),
    Category("fee_fba_grade_resell", "fba_fees", "Grade and resell fees", None),
    Category("fee_awd", "fba_fees", "AWD fees", None),
    Category("fee_mcf", "fba_fees", "MCF fees", None),
    Category("fee_mcf_fba_transport", "fba_fees", "MCF transport fees", None),
    Category("fee_cod", "fees", "Cash on delivery fees", None),
    Category("fee_tax_calculation", "fees", "Tax calculation fees", None),
    Category("fee_refund_administration", "fees", "Refund administration", None),
    Category("fee_subscription", "fees", "Subscription", None),
    Category("fee_premium_services", "fees", "Premium services", None),
    Category("fee_advertising", "advertising", "Advertising", None),
    Category("fee_advertising_refund", "advertising", "Advertising returned", None),
    Category("fee_deal", "advertising", "Deals", None),
    Category("fee_coupon", "advertising", "Coupons", None),
    Category("fee_vine_or_early_reviewer", "advertising", "Vine and reviews", None),
    Category("fee_liquidation", "fees", "Liquidation fees", None),
    Category("fee_tax", "input_tax", "Tax on fees", None),
    Category("fee_other", "fees", "Other fees", None),
    Category("shipping_label", "freight", "Shipping labels", None),
    Category("shipping_label_return", "freight", "Return labels", None),
    Category("shipping_label_refund", "freight", "Labels refunded", None),
    Category("shipping_label_adjustment", "freight", "Label corrections", None),
    Category("reimbursement_inventory", "other_income", "Stock reimbursed", None),
    Category("reimbursement_clawback", "other_income", "Reimbursement taken back", None),
    Category("reimbursement_fee_correction", "fees", "Fees reimbursed", None),
    Category("reimbursement_safe_t", "other_income", "SAFE-T reimbursements", None),
    Category("reimbursement_other", "other_income", "Other reimbursements", None),
    Category("commingling_vat", "tax", "VAT on commingled stock", None),
    Category("adjustment_fee", "fees", "Fee corrections", None),
    Category("adjustment_other", "suspense", "Other adjustments", None),
    Category("bad_debt", "other_expense", "Bad debt", None),
    Category("loan_repayment", "loan", "Loan repayment", None),
    Category("reserve_held", "reserve", "Reserve held", None),
    Category("reserve_released", "reserve", "Reserve released", None),
    Category("balance_carried_forward", "amazon_balance", "Owed to Amazon", None),
    Category("paid_to_amazon_by_card", "card", "Charged to card", None),
    Category("disbursement_failed", "amazon_balance", "Payout came back", None),
    Category("bank_micro_deposit", "bank", "Bank account check", None),
)

CATEGORIES: Final[dict[str, Category]] = {row.name: row for row in _ROWS}
"""All categories by name."""
GROUPS: Final = frozenset(row.group for row in _ROWS)

_TAX: Final = frozenset({"tax_collected", "promo_tax", "refund_tax"})
_PROMOTIONS_BACK: Final = "refund_promo_reversed"
_TAX_ON_PROMOTIONS: Final = "TaxDiscount"
WITHHELD: Final = frozenset(
    {"tax_withheld_marketplace", "tax_withheld_low_value_goods", "refund_tax_withheld_reversed"}
)

Combination = tuple[str, str, str]
"""Transaction type, amount type, amount description, as in the file."""


def is_tax(category: str, description: str) -> bool:
    """Whether an amount is tax of the buyer's, to be compared with what Amazon withholds. A refund's promotions and the
    tax on them are of one category."""
    return category in _TAX or (category == _PROMOTIONS_BACK and description.strip() == _TAX_ON_PROMOTIONS)


_Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class MapEntry(BaseModel):
    """A combination and its category. `*` at the end of a text stands for any ending, `*` alone for any text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    transaction_type: _Text
    """`transaction-type` of the report."""
    amount_type: _Text
    """`amount-type` of the report."""
    amount_description: _Text = ""
    """`amount-description` of the report."""
    category: str
    """Its category, such as ``fee_commission``."""

    @field_validator("category")
    @classmethod
    def _known(cls, category: str) -> str:
        if category not in CATEGORIES:
            raise ValueError(f"{category} is no category; 'o2c settlement categories' lists them")
        return category


class CategoryMap:
    """Which category a combination has. Later entries win over earlier ones; whole texts win over `*`.

    Letter case and blanks around a text do not matter: Amazon changes them between its files.
    """

    def __init__(self, entries: Iterable[MapEntry]) -> None:
        self._exact: dict[Combination, str] = {}
        self._open: list[tuple[Combination, str]] = []
        for entry in entries:
            key = _plain((entry.transaction_type, entry.amount_type, entry.amount_description))
            if any(text.endswith("*") for text in key):
                self._open.insert(0, (key, entry.category))
            else:
                self._exact[key] = entry.category

    def category(self, combination: Combination) -> Category | None:
        """The combination's category; None where the map has none, and nothing is guessed."""
        key = _plain(combination)
        name = self._exact.get(key)
        if name is None:
            name = next((category for pattern, category in self._open if _fits(pattern, key)), None)
        return CATEGORIES[name] if name is not None else None


def payment_kind(transaction_type: str, category: Category) -> PaymentKind | None:
    """The customer payment an amount belongs to. Liquidators buy from Amazon: M3 has no order of theirs."""
    return None if transaction_type.casefold().startswith("liquidations") else category.kind


def _plain(combination: Combination) -> Combination:
    first, second, third = (" ".join(text.split()).casefold() for text in combination)
    return first, second, third


def _fits(pattern: Combination, key: Combination) -> bool:
    return all(
        text.startswith(wanted[:-1]) if wanted.endswith("*") else text == wanted
        for wanted, text in zip(pattern, key, strict=True)
    )
