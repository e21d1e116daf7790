"""What can be set about one run of the pretended Amazon."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from simulators.amazon.reports.kinds import SettlementForm
from simulators.faults import Profile


class Settings(BaseModel):
    """One simulator run. Delays are in seconds of the simulator's own clock."""

    model_config = ConfigDict(frozen=True)

    data: Path
    """Folder of the sqlite file; the world in it survives a restart."""
    port: int = 0
    seed: int = 7
    faults: Profile = "none"
    pace: float = Field(default=1.0, ge=0)
    """Multiplies every delay; at 1.0 an order's life takes minutes instead of days, at 0 no time at all."""
    clock_rate: float = Field(default=1.0, gt=0)
    """How many times faster than the wall's the simulator's clock runs (quotas, delays, tokens)."""
    quota_factor: float = Field(default=1.0, gt=0)
    """Multiplies Amazon's documented request rates; bursts stay as they are."""
    visibility_delay: float = Field(default=120.0, ge=0)
    """Seconds (times `pace`) for which searchOrders does not see a change."""
    token_lifetime: int = Field(default=3600, gt=0)
    report_latency: float = Field(default=15.0, ge=0)
    """Seconds (times `pace`) from the request of a report to its end, half of them in the queue."""
    report_ration: float = Field(default=1800.0, ge=0)
    """Seconds (times `pace`) for which Amazon makes no second FBA report of one type."""
    shipments_lag: float = Field(default=3600.0, ge=0)
    """Seconds (times `pace`) until a shipment by Amazon stands in its report."""
    settlement_days: float = Field(default=14.0, ge=0)
    """Days from one settlement to the next; 0 closes them on request alone."""
    settlement_forms: tuple[SettlementForm, ...] = ("v2", "v1", "xml")
    """In which reports a settlement is told, if the one who closes it names none."""
    listing_delay: float = Field(default=30.0, ge=0)
    """Seconds (times `pace`) from an accepted change of a listing to its being live."""
    feed_latency: float = Field(default=30.0, ge=0)
    """Seconds (times `pace`) from the creation of a feed to its end, half of them in the queue."""
    pii_refused: frozenset[str] = frozenset()
    """Seller ids whose application lacks the role for buyer and recipient data."""
    orders: int = Field(default=0, ge=0)
    """Length of the stream of orders started with the simulator."""
    per_second: float = Field(default=0.0, ge=0)
    """Speed of that stream; 0 creates all orders at once."""
    trouble_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the stream with planted trouble."""
    sqs_endpoint: str = ""
    """Address of the SQS that notifications are sent to; while it is empty they wait."""
    notify_loss: float = Field(default=0.0, ge=0, le=1)
    """Share of the notifications that never arrive."""
    notify_duplicates: float = Field(default=0.02, ge=0, le=1)
    """Share of the notifications that arrive twice."""
    notify_delay: float = Field(default=10.0, ge=0)
    """Up to how many seconds (times `pace`) each copy is late; they overtake each other."""
    notify_pending: float = Field(default=0.5, ge=0, le=1)
    """Share of the new orders in Pending that ORDER_CHANGE tells; Amazon promises none."""

    @property
    def blind_seconds(self) -> float:
        """How old a change must be before searchOrders shows it."""
        return self.visibility_delay * self.pace
