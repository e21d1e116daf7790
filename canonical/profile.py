"""How one marketplace is booked in M3: the part of the configuration that the mapping rules read."""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

_Warehouse = Annotated[str, StringConstraints(min_length=1, max_length=3)]
_OrderType = Annotated[str, StringConstraints(min_length=1, max_length=3)]
_Charge = Annotated[str, StringConstraints(min_length=1, max_length=6)]
_Customer = Annotated[str, StringConstraints(min_length=1, max_length=10)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CustomerPolicyKind(StrEnum):
    GENERIC = "generic"
    """One M3 customer for the marketplace."""
    SHARDED = "sharded"
    """Several customers, chosen by the order id, where one would grow too large."""
    PER_BUYER = "per_buyer"
    """A customer per buyer, created from a template (CRS610MI.Add); MFN only, FBA tells no buyer."""


class CustomerPolicy(_Strict):
    """Which M3 customer an order is booked on."""

    kind: CustomerPolicyKind = CustomerPolicyKind.GENERIC
    """How the customer is chosen."""
    numbers: tuple[_Customer, ...]
    """CUNO of the generic customer, of the shards, or of the fallback where the buyer is unknown."""
    template: _Customer | None = None
    """CUTM for CRS610MI.Add; needed by per_buyer."""
    prefix: Annotated[str, StringConstraints(max_length=2)] = "AZ"
    """First characters of created customer numbers."""

    @model_validator(mode="after")
    def _template_for_per_buyer(self) -> "CustomerPolicy":
        if not self.numbers:
            raise ValueError("numbers needs at least one M3 customer number")
        if self.kind is CustomerPolicyKind.PER_BUYER and not self.template:
            raise ValueError("per_buyer needs a template customer")
        return self


class PriceBasis(StrEnum):
    GROSS = "gross"
    """The M3 order type expects prices that include VAT."""
    NET = "net"
    """The M3 order type expects prices without tax."""


class ChargeCodes(_Strict):
    """CRID of the M3 charges that carry what is no item price."""

    shipping: _Charge
    """Shipping paid by the buyer."""
    gift_wrap: _Charge
    """Gift wrap."""
    promotion: _Charge
    """A negative charge, so that promotions stay visible to the controller."""
    other: _Charge
    """Whatever else Amazon tells: fees of the buyer, the delivery tip."""


class Carrier(_Strict):
    """Amazon's name for one of M3's forwarders."""

    code: str
    """carrierCode of confirmShipment."""
    name: str = ""
    """carrierName, needed when code is Other."""
    method: str = ""
    """shippingMethod of confirmShipment."""


class ItemRule(_Strict):
    """SellerSKU to ITNO when no alias exists: the pattern's match is rewritten to the item number."""

    pattern: str
    """Regular expression that must match the whole SellerSKU."""
    itno: str
    """Replacement, with groups as in re.sub, such as ``\\1``."""

    @model_validator(mode="after")
    def _compiles(self) -> "ItemRule":
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from error
        return self


class MarketplaceProfile(_Strict):
    """Order types, warehouses, customers and rules of one marketplace."""

    marketplace_id: str
    """Amazon's id of the marketplace; the section's own name, so it need not be given."""
    facility: Annotated[str, StringConstraints(min_length=1, max_length=3)]
    """FACI of the order head."""
    division: Annotated[str, StringConstraints(max_length=3)] = ""
    """DIVI in which its invoices and vouchers are read; empty takes m3.division."""
    order_type_fba: _OrderType
    """ORTP of orders that Amazon ships."""
    order_type_mfn: _OrderType
    """ORTP of orders that the own warehouse ships."""
    order_type_replacement: _OrderType | None = None
    """Order type that takes a price of zero; None holds orders that are free of charge."""
    order_type_tax_by_amazon: _OrderType | None = None
    """With price basis gross: order type without VAT for orders whose tax Amazon remits (marketplace
    facilitator, IOSS); None holds them, since M3 would take VAT out of the net prices once more."""
    warehouse_fba: _Warehouse
    """WHLO that stands for Amazon's stock: M3 allocates and releases by itself there."""
    warehouse_mfn: _Warehouse
    """WHLO of the own warehouse."""
    warehouse_shipped: _Warehouse | None = None
    """For MFN goods that had left before M3 knew the order (an import of the past): a warehouse in which
    nobody picks. None holds such orders, since the own warehouse would send the goods again."""
    customer: CustomerPolicy
    """Which M3 customer its orders are booked on."""
    price_basis: PriceBasis
    """Whether the order types expect prices with VAT."""
    price_decimals: Annotated[int, Field(ge=2, le=6)] = 4
    """Decimals of SAPR in this M3 company."""
    tolerance: Annotated[Decimal, Field(ge=0)] = Decimal("0.00")
    """Largest difference between M3's order total and Amazon's that is not held, in the order's currency."""
    charges: ChargeCodes
    """CRID of the charges that carry what is no item price."""
    alias_type: str = "2"
    """ALWT under which SellerSKUs are kept in MMS025."""
    alias_qualifier: Annotated[str, StringConstraints(max_length=4)] = "AMZN"
    """ALWQ."""
    item_rules: tuple[ItemRule, ...] = ()
    """From SellerSKU to ITNO where M3 has no alias; the first that fits is taken."""
    carriers: dict[str, Carrier] = {}
    """Amazon's carrier by M3's FWNO."""
    transliterate: bool = False
    """Write addresses in Latin letters; the original stays on the order."""
    country_codes: dict[str, str] = {}
    """M3's CSCD where it differs from ISO 3166-1 alpha-2."""
    state_codes: dict[str, str] = {}
    """M3's ECAR by Amazon's state text, on top of ISO 3166-2."""
    countries_with_states: tuple[str, ...] = ("US", "CA", "AU", "BR", "MX", "IT", "IN")
    """Countries whose state M3 wants; elsewhere the state is left out of ECAR."""
    untracked: str = ""
    """Tracking number sent to Amazon where M3 has none; empty holds the order."""
