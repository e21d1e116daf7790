"""The pretended seller's world: what Amazon and M3 would both know about him. What he sells is in `assortment`.

Plain facts without behaviour. Both simulators know them, so an order that leaves the one finds its customers and
warehouses in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

LWA_CLIENT_ID = "amzn1.application-oa2-client.sim"
LWA_CLIENT_SECRET = "sim-lwa-secret"  # noqa: S105 - a pretended credential of a pretended seller

CONO = 100
DIVI = "AAA"
FACI = "A01"
LOCAL_CURRENCY = "EUR"


@dataclass(frozen=True)
class Marketplace:
    """One Amazon marketplace: its country, id, currency, and the VAT rate (percent) inside its prices; 0 in
    the United States and Canada, where Amazon quotes net prices, and in Brazil, whose taxes are no VAT."""

    country: str
    marketplace_id: str
    currency: str
    vat_percent: Decimal
    generic_cuno: str
    sales_channel: str


@dataclass(frozen=True)
class Seller:
    """One selling account of one SP-API region ("eu", "na", "fe").

    `further`: marketplaces in which it sells too, but for which no orders are invented.
    """

    name: str
    seller_id: str
    region: str
    refresh_token: str
    marketplaces: tuple[Marketplace, ...]
    further: tuple[Marketplace, ...] = ()

    @property
    def sold_in(self) -> tuple[Marketplace, ...]:
        """Every marketplace in which this account sells."""
        return (*self.marketplaces, *self.further)


MARKETPLACES: tuple[Marketplace, ...] = (
    Marketplace("DE", "A1PA6795UKMFR9", "EUR", Decimal(19), "AMZDE", "Amazon.de"),
    Marketplace("GB", "A1F83G8C2ARO7P", "GBP", Decimal(20), "AMZGB", "Amazon.co.uk"),
    Marketplace("FR", "A13V1IB3VIYZZH", "EUR", Decimal(20), "AMZFR", "Amazon.fr"),
    Marketplace("US", "ATVPDKIKX0DER", "USD", Decimal(0), "AMZUS", "Amazon.com"),
    Marketplace("CA", "A2EUQ1WTGCTBG2", "CAD", Decimal(0), "AMZCA", "Amazon.ca"),
)

FURTHER_MARKETPLACES: tuple[Marketplace, ...] = (
    Marketplace("ES", "A1RKKUPIHCS9HS", "EUR", Decimal(21), "AMZES", "Amazon.es"),
    Marketplace("IT", "APJ6JRA9NG5V4", "EUR", Decimal(22), "AMZIT", "Amazon.it"),
    Marketplace("TR", "A33AVAJ2PDY3EV", "TRY", Decimal(20), "AMZTR", "Amazon.com.tr"),
    Marketplace("BR", "A2Q3Y263D00KWC", "BRL", Decimal(0), "AMZBR", "Amazon.com.br"),
    Marketplace("JP", "A1VC38T7YXB528", "JPY", Decimal(10), "AMZJP", "Amazon.co.jp"),
)
"""Where orders come in only if somebody puts them there."""

SELLERS: tuple[Seller, ...] = (
    Seller("EU", "A2EUSELLER0001", "eu", "Atzr|sim-eu", MARKETPLACES[:3], FURTHER_MARKETPLACES[:3]),
    Seller("NA", "A2NASELLER0001", "na", "Atzr|sim-na", MARKETPLACES[3:], FURTHER_MARKETPLACES[3:4]),
)
FAR_EAST = Seller("FE", "A2FESELLER0001", "fe", "Atzr|sim-fe", (), FURTHER_MARKETPLACES[4:])
ACCOUNTS: tuple[Seller, ...] = (*SELLERS, FAR_EAST)
"""All selling accounts; orders are invented for SELLERS alone."""


@dataclass(frozen=True)
class Warehouse:
    """One M3 warehouse. In an automatic one M3 allocates and releases picking lists and Amazon ships; in the
    seller's own one people pick, pack and ship."""

    whlo: str
    name: str
    automatic: bool


WAREHOUSES: tuple[Warehouse, ...] = (
    Warehouse("AFE", "Amazon FBA Europe", automatic=True),
    Warehouse("AFN", "Amazon FBA North America", automatic=True),
    Warehouse("MAI", "Main warehouse", automatic=False),
)


@dataclass(frozen=True)
class OrderType:
    """One M3 customer order type (OIS010).

    `vat_included`: M3 reads the given sales price as gross and takes the VAT out of it.
    `free_allowed`: a sales price of 0 is taken as it is; otherwise 0 or blank means "use the price list".
    """

    ortp: str
    name: str
    vat_included: bool
    free_allowed: bool = False


ORDER_TYPES: tuple[OrderType, ...] = (
    OrderType("AZF", "Amazon FBA", vat_included=True),
    OrderType("AZM", "Amazon MFN", vat_included=True),
    OrderType("AZN", "Amazon net prices", vat_included=False),
    OrderType("AZR", "Amazon replacement", vat_included=True, free_allowed=True),
)


@dataclass(frozen=True)
class Customer:
    """One customer that exists in M3 before anything happens. Status 20 can be used, 90 is blocked."""

    cuno: str
    name: str
    status: str
    country: str
    currency: str


TEMPLATE_CUNO = "AMZTMPL"
CUSTOMERS: tuple[Customer, ...] = (
    *(
        Customer(m.generic_cuno, f"Amazon customers {m.country}", "20", m.country, m.currency)
        for m in (*MARKETPLACES, *FURTHER_MARKETPLACES)
    ),
    Customer(TEMPLATE_CUNO, "Template for Amazon buyers", "20", "DE", "EUR"),
    Customer("AMZOLD", "Amazon customers (closed)", "90", "DE", "EUR"),
)

CHARGES: dict[str, str] = {
    "AMZSHP": "Shipping",
    "AMZGFT": "Gift wrap",
    "AMZPRM": "Promotion",
    "AMZTAX": "Tax collected",
    "AMZOTH": "Other amounts",
}
CARRIERS: tuple[str, ...] = ("DHL", "DPD", "UPS", "FDX", "XYZ")
UNKNOWN_CARRIER = "XYZ"

DELIVERY_METHODS: tuple[str, ...] = ("STD", "EXP", "NXT", "FBA")  # MODL
DELIVERY_TERMS: tuple[str, ...] = ("DAP", "DDP", "CPT")  # TEDL
PAYMENT_TERMS: tuple[str, ...] = ("AMZ", "030")  # TEPY; the first is every Amazon customer's own

PARTNER = "AMAZON"  # E0PA of warehouse messages (MHS850), 17 positions
MESSAGE_TYPE = "WMS"  # E065 set up for that partner, 6 positions
GL_INTERFACES: dict[str, int] = {"AMZGL1": 1, "AMZGL2": 2}  # GLS850 interface -> usage type

ALIAS_TYPE = 2
ALIAS_QUALIFIER = "AMZN"

MARKETPLACE_BY_ID: dict[str, Marketplace] = {
    m.marketplace_id: m for account in ACCOUNTS for m in account.sold_in
}


def marketplace(marketplace_id: str) -> Marketplace:
    """The marketplace with this id; KeyError if this seller does not sell there."""
    return MARKETPLACE_BY_ID[marketplace_id]


def seller_of(marketplace_id: str) -> Seller:
    """The selling account that sells in this marketplace; KeyError if none does."""
    for seller in ACCOUNTS:
        if any(m.marketplace_id == marketplace_id for m in seller.sold_in):
            return seller
    raise KeyError(marketplace_id)
