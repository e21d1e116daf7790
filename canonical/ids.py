"""The ids by which one thing is the same thing everywhere. Never build them at a call site.

Workflow ids are plain text in Temporal: they carry Amazon's order id, which is no personal data.
"""

import hashlib
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


def alerts_workflow_id() -> str:
    """The one workflow that tells people: two would tell them twice."""
    return "o2c-alerts"


def m3_document_workflow_id(name: str, accounting_entity: str, document_id: str) -> str:
    """The one workflow of one M3 document (BOD), such as ``m3-Sync.Shipment-100_AAA-30000001``.

    Ids come from outside: what is long, or has other characters than M3's numbers have, is told by its digest.
    """
    plain = f"{name}-{accounting_entity}-{document_id}"
    if _PLAIN_ID.fullmatch(plain) is None:
        plain = f"{name[:60]}-{hashlib.sha256(plain.encode()).hexdigest()[:32]}"
    return f"m3-{plain}"


_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,120}")


def import_workflow_id(seller_id: str, created_after: datetime, created_before: datetime | None) -> str:
    """One import of a period: asked for twice while it runs, it is the same import."""
    return f"import-{seller_id}-{_moment(created_after)}-{_moment(created_before)}"


def audit_workflow_id(
    seller_ids: tuple[str, ...], created_after: datetime, created_before: datetime | None
) -> str:
    """One audit of a period."""
    sellers = (
        "-".join(sorted(seller_ids)) if len(seller_ids) <= _NAMED_SELLERS else f"{len(seller_ids)}-sellers"
    )
    return f"audit-{sellers}-{_moment(created_after)}-{_moment(created_before)}"


_NAMED_SELLERS: Final = 3


def _moment(moment: datetime | None) -> str:
    return "now" if moment is None else f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
