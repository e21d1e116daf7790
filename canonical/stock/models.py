"""What is known of stock: M3's balances, orders at Amazon that M3 does not have yet, and offers."""

from decimal import ROUND_FLOOR, Decimal
from typing import Final, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

RELEASED: Final = "20"
"""MITMAS STAT of an item that may be sold; any other status sells nothing."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class PoolKey(NamedTuple):
    """One item in one warehouse (MITBAL): the goods that several offers may sell from."""

    whlo: str
    itno: str


class Balance(_Part):
    """The balance of an item in a warehouse, MMS200MI.GetItmWhsBal. Quantities in the item's basic unit.

    On-hand stock may be below zero: M3 can be set up to issue what is not there.
    """

    whlo: str
    itno: str
    on_hand: Decimal
    """STQT, on-hand balance approved: neither under inspection (QUQT) nor rejected (RJQT)."""
    allocated: Decimal = Decimal(0)
    """ALQT: allocated to orders, on picking lists too, and not issued yet."""
    reserved: Decimal = Decimal(0)
    """REQT: wanted by orders and not allocated yet. Inferred to hold nothing of ALQT; where a site's REQT does,
    less is promised than there is, never more."""
    allocatable: Decimal | None = None
    """AV01, allocatable net, as M3 counts it. Where M3 counts less than is computed here, M3's figure holds."""
    item_status: str = RELEASED
    """MITMAS STAT (MMS200MI.Get)."""
    as_of: AwareDatetime
    """M3's figures are not older than this: the moment *before* the question was sent. M3 gives a balance no time of
    its own, and a change that M3 made while it answered may be in the answer or not."""

    @property
    def key(self) -> PoolKey:
        """Item and warehouse."""
        return PoolKey(self.whlo, self.itno)

    @property
    def free(self) -> int:
        """Whole pieces that no order in M3 wants, below zero where more is wanted than there is."""
        free = self.on_hand - self.allocated - self.reserved
        if self.allocatable is not None:
            free = min(free, self.allocatable)
        return int(free.to_integral_value(ROUND_FLOOR))


class NoBalance(_Part):
    """M3 gave no balance. Nothing is promised from it, and a person is told why."""

    whlo: str
    itno: str
    why: Literal["unknown_warehouse", "unknown_item", "not_in_warehouse", "refused"]
    """WWH0103, WIT0103, XRE0103 (the item has no record in this warehouse, MITBAL), or any other refusal."""
    code: str = ""
    """M3's message id."""
    as_of: AwareDatetime

    @property
    def key(self) -> PoolKey:
        """Item and warehouse."""
        return PoolKey(self.whlo, self.itno)

    @property
    def sentence(self) -> str:
        """What a person is told."""
        what = {
            "unknown_warehouse": f"M3 has no warehouse {self.whlo}",
            "unknown_item": f"M3 has no item {self.itno}",
            "not_in_warehouse": f"M3 keeps no stock of item {self.itno} in warehouse {self.whlo}",
            "refused": f"M3 refused the balance of item {self.itno} in warehouse {self.whlo}",
        }[self.why]
        return f"{what}{f' ({self.code})' if self.code else ''}. Nothing of it is offered."


Known = Balance | NoBalance


class PendingOrder(_Part):
    """Units of one item in an Amazon order that the seller ships himself (MFN), Pending ones too: Amazon has sold
    them, whether it has told the address or not."""

    order_id: str
    order_item_id: str
    itno: str
    whlo: str
    quantity: int = Field(ge=0)
    in_m3_since: AwareDatetime | None = None
    """When M3 was known to have the order: the moment *after* it confirmed. None: not yet, or nobody knows."""

    def missing_from(self, balance: Balance) -> bool:
        """Whether the balance may be without this order. In doubt it counts twice, never not at all."""
        return self.in_m3_since is None or self.in_m3_since >= balance.as_of


class Offer(_Part):
    """A SellerSKU in one marketplace, sold from one warehouse of M3."""

    seller: str
    marketplace_id: str
    sku: str
    itno: str
    whlo: str
    channel: Literal["MFN", "FBA"] = "MFN"
    """`FBA` whenever Amazon fulfils this SKU, in whatever marketplace (fulfillmentAvailability other than DEFAULT):
    a quantity on the channel DEFAULT may turn it into an MFN offer."""

    @property
    def key(self) -> PoolKey:
        """The pool it sells from."""
        return PoolKey(self.whlo, self.itno)

    @property
    def name(self) -> "OfferName":
        """What tells it from all other offers."""
        return OfferName(self.seller, self.marketplace_id, self.sku)


class OfferName(NamedTuple):
    """Seller, marketplace and SellerSKU."""

    seller: str
    marketplace_id: str
    sku: str


def newer(known: Known | None, told: Known) -> Known:
    """Of two readings of one balance the one whose question was asked later; at the same moment the lesser one.

    Readings overtake each other: an answer that comes late does not replace one that was asked for after it.
    """
    if known is None or told.as_of > known.as_of:
        return told
    if told.as_of < known.as_of:
        return known
    return min(known, told, key=lambda each: each.free if isinstance(each, Balance) else -(10**18))
