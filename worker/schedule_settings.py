"""What runs by the clock, as the configuration has it."""

from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ScheduleSettings(BaseModel):
    """How often the schedules run; ``o2c schedules apply`` makes them so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amazon_minutes: Annotated[float, Field(ge=0.1, le=1440)] = 10.0
    """How often each seller's orders are swept at Amazon. Amazon refills one searchOrders call in three minutes:
    less than that is throttled for ever."""
    overlap_minutes: Annotated[float, Field(ge=3, le=1440)] = 10.0
    """How far a sweep reaches back behind the high-water mark. Amazon shows changes two or three minutes late."""
    first_look_hours: Annotated[float, Field(gt=0, le=17_520)] = 24.0
    """How far back the very first sweep reads."""
    m3_minutes: Annotated[float, Field(ge=0.1, le=1440)] = 5.0
    """How often M3 is asked for deliveries that have left."""
    m3_orders: Annotated[int, Field(ge=1, le=100_000)] = 5000
    """How many waiting orders one such look takes, the newest first."""
    corrections_minutes: Annotated[float, Field(ge=1, le=1440)] = 30.0
    """How often M3 is asked whether tracking numbers or carriers were corrected after Amazon was told."""
    corrections_days: Annotated[int, Field(ge=0, le=30)] = 7
    """How long after its end an order is still looked at for corrections; 0 makes no such schedule."""
    shipments_minutes: Annotated[float, Field(ge=0, le=1440)] = 240.0
    """How often Amazon is asked for the report of its own shipments (FBA); 0 makes no such schedule. Amazon makes it
    once in 30 minutes at most, and the goods left an hour or more before."""
    shipments_days: Annotated[int, Field(ge=1, le=30)] = 2
    """How far such a look reaches back behind the one before."""
    deadline_minutes: Annotated[float, Field(ge=0, le=1440)] = 30.0
    """How often own shipments are compared with Amazon's latest ship date; 0 makes no such schedule."""
    deadline_hours: Annotated[float, Field(gt=0, le=720)] = 24.0
    """How long before its latest ship date an own shipment is at risk: people are told, once."""
    reconciliation_at: time | Literal["never"] = time(3)
    """Time of day of the reconciliation, such as ``"03:00"``; ``"never"`` makes no such schedule."""
    reconciliation_days: Annotated[int, Field(ge=1, le=31)] = 1
    """How many whole days it compares, up to the last midnight."""
    mcf_minutes: Annotated[float, Field(ge=0.1, le=1440)] = 5.0
    """How often M3 is asked for deliveries that Amazon is to fulfil, where `mcf` names a warehouse."""
    returns_at: time | Literal["never"] = time(5)
    """Time of day of the look at refunds and returns, where there is a section `returns`; ``"never"`` makes no such
    schedule."""
    settlements_at: time | Literal["never"] = time(6)
    """Time of day of the looks for settlement reports, for what Amazon holds back and for new kinds of amounts, where
    `settlement` names accounts; ``"never"`` makes no such schedules. Amazon lists a report for 90 days."""
    start_missing: bool = True
    """Whether the reconciliation starts the orders that it finds without a workflow."""
    time_zone: str = "UTC"
    """Time zone of `reconciliation_at` with its days, `returns_at` and `settlements_at`, such as
    ``"Europe/Berlin"``."""

    @model_validator(mode="after")
    def _moments(self) -> "ScheduleSettings":
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"time_zone {self.time_zone!r} is no time zone such as Europe/Berlin") from None
        for name, at in (
            ("reconciliation_at", self.reconciliation_at),
            ("returns_at", self.returns_at),
            ("settlements_at", self.settlements_at),
        ):
            if isinstance(at, time) and at.tzinfo is not None:
                raise ValueError(f"{name} is a time of day in time_zone; leave the offset out")
        return self
