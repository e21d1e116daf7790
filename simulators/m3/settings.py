"""What can be set about one run of the pretended M3."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.faults import Profile

TENANT = "SIMTENANT_TST"

Installation = Literal["cloud", "onprem"]


class M3Settings(BaseModel):
    """One simulator run. All times are in seconds of the simulator's own clock."""

    model_config = ConfigDict(frozen=True)

    data: Path
    """Folder of the sqlite file and of simulator.ionapi; the world in it survives a restart."""
    port: int = 0
    seed: int = 7
    faults: Profile = "none"
    pace: float = Field(default=1.0, ge=0)
    """Multiplies every delay of M3 and of the warehouse staff; 0 means at the next request."""
    held_clock: bool = False
    """Whether time passes only by POST /_control/advance."""
    profile: Installation = "cloud"
    """"cloud": gateway addresses with a tenant and OAuth; "onprem": Basic, without what only the cloud
    has."""
    cuor_list: bool = True
    """Whether this site has set up the CMS100MI lists by CUOR."""
    exportmi: bool = True
    """Whether this site lets EXPORTMI be called."""
    token_lifetime: int = Field(default=7200, gt=0)
    rate_limit: float = Field(default=200.0, gt=0)
    """Requests per second before the gateway's spike arrest answers 429."""
    gateway_timeout: float = Field(default=60.0, gt=0)
    """Wall seconds after which the gateway gives up on M3 with 504 (M3 itself goes on)."""
    latency: float = Field(default=0.0, ge=0)
    """Wall seconds that each request takes on its way and in M3, beside what this process needs for it."""
    search_lag: float = Field(default=2.0, ge=0)
    """Seconds (times `pace`) by which the search index lags behind the database."""
    split_share: float = Field(default=0.15, ge=0, le=1)
    """Share of own-warehouse orders of more than one piece that leave in two deliveries."""
    manual_invoice_types: frozenset[str] = frozenset()
    """Order types without an automatic invoicing level: their deliveries wait for PrtInvoice."""
