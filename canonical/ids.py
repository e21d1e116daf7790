"""The ids by which one thing is the same thing everywhere. Never build them at a call site.

Workflow ids are plain text in Temporal: they carry Amazon's order id, which is no personal data.
"""

import re
from datetime import UTC, datetime
from typing import Final

AMAZON_ORDER_ID: Final = re.compile(r"\d{3}-\d{7}-\d{7}")
"""Amazon's 3-7-7 order number (Orders API model, `confirmShipment`: "in 3-7-7 format")."""

_ORDER_WORKFLOW_ID: Final = re.compile(r"order-(.+)-(\d{3}-\d{7}-\d{7})")


def is_amazon_order_id(text: str) -> bool:
    """Whether `text` has the form of an Amazon order id, such as ``028-1234567-8901234``."""
    return AMAZON_ORDER_ID.fullmatch(text) is not None


def order_workflow_id(seller_id: str, amazon_order_id: str) -> str:
    """The one workflow id of one order: the same order arriving twice meets the same workflow."""
    return f"order-{seller_id}-{amazon_order_id}"


def order_of_workflow(workflow_id: str) -> tuple[str, str] | None:
    """Seller and Amazon order id of an order's workflow id; None where it is no order's."""
    found = _ORDER_WORKFLOW_ID.fullmatch(workflow_id)
    return (found[1], found[2]) if found else None


def after_close_workflow_id(seller_id: str, amazon_order_id: str) -> str:
    """The one workflow that carries what Amazon says of a closed order."""
    return f"after-close-{seller_id}-{amazon_order_id}"


def subject_of_workflow(workflow_id: str) -> tuple[str, str] | None:
    """Seller and Amazon order id of a workflow about one order, also a closed one; None of any other."""
    return order_of_workflow(workflow_id.replace("after-close-", "order-", 1))


def customer_order_number(amazon_order_id: str) -> str:
    """CUOR, by which M3 is searched before every write: the Amazon order id (19 of 20 characters)."""
    return amazon_order_id


def goods_issue_message_number(orno: str, shipment: int, position: int) -> str:
    """PMSN of a shipment's line, at most 17 characters: by it M3 knows a repeated report (MHS850MI)."""
    return f"{orno[-10:]}S{shipment:02d}P{position:03d}"


def package_reference(shipment: int, package: int) -> str:
    """packageReferenceId for `confirmShipment`: the string of a positive number, stable across retries.

    Amazon edits the package when the same reference is sent again: the number is derived, not counted.
    """
    return str(shipment * 100 + package)


def sweep_workflow_id() -> str:
    """The one sweep: two at once would ask Amazon for the same pages twice."""
    return "sweep"


def amazon_sweep_id(seller_id: str) -> str:
    """The schedule that sweeps one seller's orders; its runs add the moment to it."""
    return f"o2c-sweep-{seller_id}"


def delivery_sweep_id() -> str:
    """The schedule that sweeps M3's deliveries."""
    return "o2c-deliveries"


def reconciliation_id() -> str:
    """The schedule that compares Amazon's orders of a day."""
    return "o2c-reconciliation"


def quotas_workflow_id() -> str:
    """The one workflow that keeps Amazon's quotas: two would each spend the same burst."""
    return "o2c-quotas"


def alerts_workflow_id() -> str:
    """The one workflow that tells people: two would tell them twice."""
    return "o2c-alerts"


def import_workflow_id(seller_id: str, created_after: datetime, created_before: datetime | None) -> str:
    """One import of a period: asked for twice while it runs, it is the same import."""
    return f"import-{seller_id}-{_moment(created_after)}-{_moment(created_before)}"


def file_import_workflow_id(seller_id: str, content: str, marketplace_id: str = "") -> str:
    """The one import of a file, by the SHA-256 of its content: the same file handed in again is the same import."""
    return f"import-{seller_id}-file-{content[:_HASH_LENGTH]}{f'-{marketplace_id}' if marketplace_id else ''}"


def report_import_workflow_id(
    seller_id: str, report_type: str, since: datetime | None, until: datetime | None
) -> str:
    """The one import of a report of a period: asked for twice while it runs, it is the same import."""
    period = f"-{_moment(since)}-{_moment(until)}" if since else ""
    return f"import-{seller_id}-{report_type}{period}"


def report_workflow_id(seller_id: str, report_id: str) -> str:
    """The workflow that waits for a report; Amazon's report ids are unique together with the seller's."""
    return f"report-{seller_id}-{report_id}"


_HASH_LENGTH: Final = 20
"""Hexadecimal digits of a file's SHA-256 that stand in an id: 80 bits."""


def audit_workflow_id(
    seller_ids: tuple[str, ...],
    created_after: datetime,
    created_before: datetime | None,
    *,
    start_missing: bool = False,
) -> str:
    """One audit of a period; one that starts what is missing is another than one that only looks."""
    sellers = (
        "-".join(sorted(seller_ids)) if len(seller_ids) <= _NAMED_SELLERS else f"{len(seller_ids)}-sellers"
    )
    kind = "audit-starting" if start_missing else "audit"
    return f"{kind}-{sellers}-{_moment(created_after)}-{_moment(created_before)}"


_NAMED_SELLERS: Final = 3


def _moment(moment: datetime | None) -> str:
    return "now" if moment is None else f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
