"""Addresses of the Temporal Web UI that an operator can open."""

from canonical.links import list_link, workflow_link

__all__ = ["HELD_ORDERS", "list_link", "workflow_link"]

HELD_ORDERS = 'WorkflowType="OrderToCash" AND ExecutionStatus="Running" AND HeldReason IS NOT NULL'
"""Visibility query of every held order."""
