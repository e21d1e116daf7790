"""Lines of Amazon's orders, as far as stock goes."""

from pydantic import AwareDatetime, BaseModel, ConfigDict

from canonical.stock.models import OfferName
from canonical.stock.news import SoldLine
from canonical.stock.pushes import Sale


class OrderLine(BaseModel):
    """A line of an Amazon order."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    order_item_id: str
    seller: str
    marketplace_id: str
    sku: str
    quantity: int
    """Pieces that are ordered and not cancelled."""
    most: int
    """The most that was ever told: what Amazon has taken off the quantity it shows."""
    lowered_at: AwareDatetime | None = None
    """When fewer pieces were told last: Amazon may show those again."""
    purchased_at: AwareDatetime
    updated_at: AwareDatetime
    pending: bool = False
    """M3 cannot have it yet."""
    in_m3_since: AwareDatetime | None = None

    @property
    def id(self) -> tuple[str, str]:
        """Order and item."""
        return self.order_id, self.order_item_id

    @property
    def offer(self) -> OfferName:
        """That sold it."""
        return OfferName(self.seller, self.marketplace_id, self.sku)

    @property
    def awaits_m3(self) -> bool:
        """Whether M3 may get it, and is not known to have it."""
        return self.quantity > 0 and self.in_m3_since is None and not self.pending

    @property
    def sales(self) -> list[Sale]:
        """Of the offer: what is sold, and what was sold and cancelled."""
        found = [Sale(quantity=self.quantity, at=self.purchased_at)] if self.quantity else []
        if self.most > self.quantity:
            lowered = Sale(
                quantity=self.most - self.quantity, at=self.purchased_at, cancelled_at=self.lowered_at
            )
            found.append(lowered)
        return found


def line_of(seller: str, told: SoldLine) -> OrderLine:
    """A line as Amazon tells it."""
    quantity = 0 if told.cancelled else told.quantity
    return OrderLine(
        order_id=told.order_id,
        order_item_id=told.order_item_id,
        seller=seller,
        marketplace_id=told.marketplace_id,
        sku=told.sku,
        quantity=quantity,
        most=max(quantity, told.quantity),
        lowered_at=told.updated_at if told.cancelled else None,
        purchased_at=told.purchased_at,
        updated_at=told.updated_at,
        pending=told.pending,
    )


def latest(known: OrderLine | None, told: OrderLine) -> OrderLine:
    """Of two tellings the one updated later, of the same moment the one with more pieces; what only the other one says
    is kept."""
    if known is None:
        return told
    if (told.updated_at, told.quantity) <= (known.updated_at, known.quantity):
        same = told.updated_at == known.updated_at and known.pending and not told.pending
        return known.model_copy(update={"pending": False}) if same else known
    lowered = told.quantity < known.quantity
    return told.model_copy(
        update={
            "most": max(known.most, told.most),
            "lowered_at": told.updated_at if lowered else known.lowered_at,
            "in_m3_since": told.in_m3_since or known.in_m3_since,
        }
    )
