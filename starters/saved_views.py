"""The lists an operator keeps: queries of Temporal's visibility, each as a link that the Web UI saves by name."""

from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel

from canonical.held_reasons import HELD_REASONS
from canonical.order import Channel
from canonical.order_contracts import ORDER_TO_CASH
from canonical.steps import Step
from starters.links import HELD, list_link

AT_RISK: Final = timedelta(hours=24)
"""How near the ship-by moment of an order is that is at risk."""
_RUNNING: Final = f'WorkflowType="{ORDER_TO_CASH}" AND ExecutionStatus="Running"'
_SHIPPED: Final = ", ".join(f'"{step}"' for step in (Step.INVOICE, Step.LEDGER, Step.CANCELLING))
_PROBLEMS: Final = (
    'TemporalReportedProblems IN ("category=WorkflowTaskFailed","category=WorkflowTaskTimedOut")'
)


class SavedView(BaseModel):
    """One list."""

    name: str
    """What the Web UI calls it."""
    title: str
    query: str
    link: str


def saved_views(web_ui: str, namespace: str, now: datetime) -> list[SavedView]:
    """Every view; visibility knows no "now", so the one of orders at risk is as of this moment."""
    soon = now + AT_RISK
    listed = [
        ("held", "Everything that waits for a person", HELD),
        (
            "at risk",
            f"Own shipments whose ship-by moment is over, or comes before {soon.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            f'{_RUNNING} AND Channel="{Channel.MFN}" AND ShipBy < "{soon.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" '
            f"AND Step NOT IN ({_SHIPPED})",
        ),
        (
            "waiting for shipment",
            "Booked in M3; Amazon or the own warehouse has yet to ship",
            f'{_RUNNING} AND Step="{Step.AWAITING_SHIPMENT}"',
        ),
        (
            "waiting for invoice",
            "Shipped, and held because M3 has not made the invoice in its usual time",
            f'{_RUNNING} AND Step="{Step.INVOICE}"',
        ),
        (
            "workflow task problems",
            "Stuck: the workflow code itself fails or does not come back",
            f'ExecutionStatus="Running" AND {_PROBLEMS}',
        ),
        *(
            (f"held {reason}", info.title, f'{HELD} AND HeldReason="{reason}"')
            for reason, info in HELD_REASONS.items()
        ),
    ]
    return [
        SavedView(name=name, title=title, query=query, link=list_link(web_ui, namespace, query, name))
        for name, title, query in listed
    ]
