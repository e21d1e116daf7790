"""What every workflow remembers that can be held: an order, a return case, a delivery, a settlement."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from canonical.fixes import Fix
from canonical.held import Hold
from canonical.order_contracts import Repair
from canonical.steps import Step

_MAX_REMARKS: Final = 50


@dataclass(kw_only=True)
class HeldState:
    """Base of what is under way. Handlers append to it; only the main flow acts on it."""

    seller_id: str
    order_id: str
    """What it is about, as `o2c fix` takes it."""
    step: Step = Step.RECEIVED
    sentence: str = "Received."
    """What it does at this step."""
    hold: Hold | None = None
    held_since: datetime | None = None
    fix: Fix | None = None
    """An accepted repair that the main flow has not taken up yet."""
    give_up: bool = False
    """A person sent `cancel`."""
    repairs: list[Repair] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def remark(self, sentence: str) -> None:
        """Keep a sentence for people; bounded, the oldest go first."""
        self.remarks = [*self.remarks[-(_MAX_REMARKS - 1) :], sentence]
