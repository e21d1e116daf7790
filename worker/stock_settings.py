"""The configuration of the stock that is offered at Amazon."""

from datetime import time, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from canonical.stock.keeper_contracts import Pace
from canonical.stock.open_orders import LOOK_BACK_DAYS
from canonical.stock.pushes import PATCHES
from canonical.stock.rules import StockRules


class StockSettings(BaseModel):
    """M3's stock as Amazon offers it (MFN): how often it is looked at, how much of it is offered where. Without this
    section nothing is pushed. See docs/stock.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every_seconds: Annotated[float, Field(ge=1, le=3600)] = 60.0
    """Between two looks at M3's changed balances."""
    full_hours: Annotated[float, Field(ge=1, le=168)] = 24.0
    """Between two looks at every balance."""
    least_rise: Annotated[int, Field(ge=1)] = 1
    """A rise by fewer pieces is not pushed, unless Amazon shows none. A fall always is."""
    patches: Annotated[int, Field(ge=0, le=1000)] = PATCHES
    """Up to so many changes of a seller are patched one by one, more go by feed."""
    confirm_minutes: Annotated[float, Field(gt=0, le=1440)] = 15.0
    """How long Amazon's word is waited for before it is asked what it shows."""
    listings_at: time | Literal["never"] = time(4)
    """When Amazon is asked for all listings of each marketplace, in schedules.time_zone."""
    open_orders_at: time | Literal["never"] = time(3)
    """When Amazon is asked for each seller's open orders, in schedules.time_zone: for what no sweep and no notification
    brought."""
    open_orders_days: Annotated[int, Field(ge=1, le=180)] = LOOK_BACK_DAYS
    """How far back they were created at most."""
    rules: StockRules = StockRules()
    """How much of the free stock is offered where."""

    @field_validator("listings_at", "open_orders_at")
    @classmethod
    def _no_offset(cls, at: time | str) -> time | str:
        if isinstance(at, time) and at.tzinfo is not None:
            raise ValueError("it is a time of day in schedules.time_zone; leave the offset out")
        return at

    @property
    def pace(self) -> Pace:
        return Pace(
            every=timedelta(seconds=self.every_seconds),
            full=timedelta(hours=self.full_hours),
            confirm=timedelta(minutes=self.confirm_minutes),
        )
