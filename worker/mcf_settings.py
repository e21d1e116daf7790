"""Which M3 warehouses Amazon fulfils (multi-channel fulfilment), and how."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from canonical.fulfillment import COMMENT_LENGTH, FulfillmentPolicy, ShippingSpeed
from canonical.mcf_contracts import McfRules

_Warehouse = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,3}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class McfWarehouse(_Strict):
    """An M3 warehouse that stands for stock at Amazon; M3 allocates and releases picking lists there by itself.

    Deliveries of Amazon's own orders from it are left alone."""

    seller: str
    """Id of the seller whose stock it is."""
    marketplace: str
    """Id of the marketplace the fulfilment orders are placed against; its alias kind names the SellerSKUs."""
    speed: ShippingSpeed = ShippingSpeed.STANDARD
    """How fast Amazon is to ship."""
    speeds: dict[str, ShippingSpeed] = {}
    """The same by M3's delivery method MODL."""
    policy: FulfillmentPolicy = FulfillmentPolicy.FILL_ALL_AVAILABLE
    """What Amazon does where not everything can be shipped."""
    comment: Annotated[str, StringConstraints(min_length=1, max_length=COMMENT_LENGTH)] = (
        "Thank you for your order."
    )
    """What the recipient reads on the packing slip."""


class McfSettings(_Strict):
    """Multi-channel fulfilment: M3's deliveries that Amazon ships. Without a warehouse there is none."""

    warehouses: dict[_Warehouse, McfWarehouse] = {}
    """By WHLO."""
    api: Literal["2020-07-01", "2026-07-04"] = "2020-07-01"
    """Version of Amazon's Fulfillment Outbound API."""
    follow_parcels: bool = True
    """Whether a delivery is followed until its parcels have arrived."""
    patience_days: Annotated[int, Field(ge=1, le=90)] = 14
    """Days that Amazon may take to ship, and again to deliver, before a person is asked."""

    def rules(self) -> dict[str, McfRules]:
        """As the activities need it, by WHLO."""
        return {
            whlo: McfRules(
                whlo=whlo,
                seller_id=one.seller,
                marketplace_id=one.marketplace,
                policy=one.policy,
                speed=one.speed,
                speeds=one.speeds,
                comment=one.comment,
                follow_parcels=self.follow_parcels,
                patience=timedelta(days=self.patience_days),
            )
            for whlo, one in self.warehouses.items()
        }

    def refuse_strangers(self, sold_in: dict[str, tuple[str, ...]]) -> None:
        """Raise ValueError where a warehouse names a seller or marketplace that is not configured."""
        for whlo, one in self.warehouses.items():
            if one.seller not in sold_in:
                raise ValueError(f"mcf.warehouses.{whlo}: seller {one.seller} is not configured")
            if one.marketplace not in sold_in[one.seller]:
                raise ValueError(
                    f"mcf.warehouses.{whlo}: seller {one.seller} does not sell in marketplace {one.marketplace}"
                )
