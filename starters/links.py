"""Addresses of the Temporal Web UI that an operator can open."""

from typing import Final

from canonical.alert_texts import HELD
from canonical.links import list_link, workflow_link

__all__ = ["HELD", "HELD_ORDERS", "HELD_REPAIRABLE", "list_link", "workflow_link"]

HELD_ORDERS: Final = f'WorkflowType="OrderToCash" AND {HELD}'
"""Visibility query of every held order; `HELD` is that of everything held."""
HELD_REPAIRABLE: Final = (
    f'WorkflowType IN ("OrderToCash", "AfterClose", "Settlement", "FbaCorrection") AND {HELD}'
)
"""The same, of closed orders of which Amazon said more, of settlements, and of corrections of Amazon's stock: what is
repaired in numbers."""
