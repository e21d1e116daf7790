"""The words of sweeps: a pass over Amazon's orders and M3's deliveries, and what it came to."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

SWEEP: Final = "Sweep"
"""Workflow type: one pass."""
SWEEP_AMAZON_PAGE: Final = "sweep_amazon_page"
SWEEP_M3_DELIVERIES: Final = "sweep_m3_deliveries"


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class SweepAmazonPageRequest(_Contract):
    """One searchOrders page; every order on it is started or signalled before the result returns."""

    seller_id: str
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    token: str = ""
    priority: int = 3


class SweepAmazonPageResult(_Contract):
    orders: int = 0
    started: int = 0
    signalled: int = 0
    late: int = 0
    """Closed already; nothing to do or said in `remarks`."""
    after_close: int = 0
    """Closed already, and what Amazon says now is new: a workflow of its own carries it."""
    skipped: int = 0
    remarks: tuple[str, ...] = ()
    """Sentences about what could not be started, at most 50."""
    next_token: str = ""
    horizon: datetime | None = None
    """lastUpdatedBefore that Amazon returned: the next high-water mark."""


class SweepM3Request(_Contract):
    """Look in M3 for deliveries of orders that await shipment (MFN), `limit` at a time."""

    limit: int = 1000


class SweepM3Result(_Contract):
    looked_at: int = 0
    signalled: int = 0


class SweepMcfResult(_Contract):
    """Deliveries that Amazon is to fulfil (MCF)."""

    looked_at: int = 0
    """Deliveries on open picking lists of the MCF warehouses that this worker had not looked at before."""
    started: int = 0
    remarks: tuple[str, ...] = ()
    """Sentences about what could not be looked at."""


class SweepInput(_Contract):
    """One pass over Amazon and M3."""

    seller_ids: tuple[str, ...]
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    amazon: bool = True
    m3: bool = True
    mcf: bool = False
    """Also look for M3 deliveries that Amazon is to fulfil."""


class SweepResult(_Contract):
    amazon: dict[str, SweepAmazonPageResult] = Field(default_factory=dict)
    """Sums by seller, with the horizon to continue from."""
    m3: SweepM3Result = SweepM3Result()
    mcf: SweepMcfResult = SweepMcfResult()
