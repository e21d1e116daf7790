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


def after_close_workflow_id(seller_id: str, amazon_order_id: str) -> str:
    """The one workflow that carries what Amazon says of a closed order."""
    return f"after-close-{seller_id}-{amazon_order_id}"


def subject_of_workflow(workflow_id: str) -> tuple[str, str] | None:
    """Seller and Amazon order id of a workflow about one order, also a closed one; None of any other."""
    for prefix in ("after-close-", "packages-"):
        if workflow_id.startswith(prefix):
            return order_of_workflow(workflow_id.replace(prefix, "order-", 1))
    return order_of_workflow(workflow_id)


def correction_workflow_id(seller_id: str, amazon_order_id: str) -> str:
    """The one workflow that tells Amazon of one order's packages again."""
    return f"packages-{seller_id}-{amazon_order_id}"


def correction_sweep_id() -> str:
    """The schedule that looks in M3 for corrected packages."""
    return "o2c-corrections"


def deadlines_id() -> str:
    """The schedule that looks at own shipments that are due."""
    return "o2c-deadlines"


def fba_feed_id(seller_id: str) -> str:
    """The schedule that reads what Amazon shipped of a seller's orders."""
    return f"o2c-shipments-{seller_id}"


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


def stock_workflow_id() -> str:
    """The one workflow that knows what Amazon should show: two would send against each other."""
    return "o2c-stock"


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


_MCF_WORKFLOW_ID: Final = re.compile(r"mcf-([A-Za-z0-9]{1,10})-(\d{1,11})")
_FULFILLMENT_ORDER_ID: Final = re.compile(r"([A-Za-z0-9]{1,10})-(\d{1,11})(?:-\d{1,2})?")


def mcf_workflow_id(orno: str, dlix: str) -> str:
    """The one workflow of an M3 delivery that Amazon fulfils (MCF)."""
    return f"mcf-{orno}-{dlix}"


def mcf_of_workflow(workflow_id: str) -> tuple[str, str] | None:
    """ORNO and DLIX of such a workflow's id; None where it is another's."""
    found = _MCF_WORKFLOW_ID.fullmatch(workflow_id)
    return (found[1], found[2]) if found else None


def mcf_subject(text: str) -> tuple[str, str] | None:
    """ORNO and DLIX of what a person types, ``0000001234-30000001``; None where it is something else."""
    return mcf_of_workflow(f"mcf-{text}")


def fulfillment_order_id(orno: str, dlix: str, attempt: int = 1) -> str:
    """sellerFulfillmentOrderId of a delivery: letters, digits and dashes, since `+` and blanks are taken by Amazon
    and then break getFulfillmentOrder; at most 40 characters. Amazon uses an id once: a further attempt has its
    number behind it. Raises ValueError where ORNO or DLIX has other characters."""
    made = f"{orno}-{dlix}" if attempt == 1 else f"{orno}-{dlix}-{attempt}"
    if _FULFILLMENT_ORDER_ID.fullmatch(made) is None:
        raise ValueError(f"M3 order {orno!r} with delivery {dlix!r} makes no fulfilment order id")
    return made


def mcf_workflow_of(order_id: str) -> str | None:
    """The workflow of a sellerFulfillmentOrderId; None where it was not made here."""
    found = _FULFILLMENT_ORDER_ID.fullmatch(order_id)
    return mcf_workflow_id(found[1], found[2]) if found else None


def mcf_item_id(ponr: str, posx: str) -> str:
    """sellerFulfillmentOrderItemId of an M3 order line."""
    return f"{ponr}-{posx}"


def mcf_message_number(dlix: str, position: int) -> str:
    """PMSN of a delivery's line (17 characters at most): by it M3 knows a repeated report (MHS850MI)."""
    return f"M{dlix[-11:]}P{position:03d}"


def mcf_package_number(parcel: str) -> str:
    """PANR of Amazon's parcel in M3 (20 characters at most): by it a parcel written before is known."""
    plain = re.sub(r"[^A-Za-z0-9]", "", parcel)
    return f"AMZN{plain}" if len(plain) <= 16 else f"AMZN{hashlib.sha256(parcel.encode()).hexdigest()[:16]}"


_RETURN_WORKFLOW_ID: Final = re.compile(r"return-(.+?)-(\d{3}-\d{7}-\d{7})-(.*)")
_PLAIN_SKU: Final = re.compile(r"[A-Za-z0-9._-]{1,60}")
_DIGEST: Final = re.compile(r"~[0-9a-f]{24}")


def return_case_workflow_id(seller_id: str, amazon_order_id: str, sku: str) -> str:
    """The one workflow of what comes back of one item of an order.

    Amazon's documents about returns name order and SKU, most of them no order item: the SKU is the item. One
    with other characters than a plain one, such as a blank, is told by its digest; none by ``-``.
    """
    plain = _PLAIN_SKU.fullmatch(sku) or _DIGEST.fullmatch(sku)
    named = sku if plain else f"~{hashlib.sha256(sku.encode()).hexdigest()[:24]}"
    return f"return-{seller_id}-{amazon_order_id}-{named if sku else '-'}"


def return_of_workflow(workflow_id: str) -> tuple[str, str, str] | None:
    """Seller, Amazon order id and SKU (or its digest) of a return case's id; None where it is another's."""
    found = _RETURN_WORKFLOW_ID.fullmatch(workflow_id)
    return (found[1], found[2], found[3]) if found else None


def return_subject(text: str) -> tuple[str, str] | None:
    """Amazon order id and SKU (or its digest) of what a person types, ``028-1234567-8901234/BLUE-MUG-2``; None
    where it is something else."""
    order_id, slash, sku = text.partition("/")
    return (order_id, sku) if slash and is_amazon_order_id(order_id) else None


def returns_feed_workflow_id(seller_id: str) -> str:
    """The one look for returns of a seller that a person asks for: two at once would read the same pages twice."""
    return f"returns-feed-{seller_id}"


def returns_look_workflow_id(seller_id: str) -> str:
    """The one look at refunds that Amazon notified: whatever is notified before it is made, is for it."""
    return f"returns-look-{seller_id}"


def returns_schedule_id(seller_id: str) -> str:
    """The schedule that looks for a seller's refunds and returns."""
    return f"o2c-returns-{seller_id}"


def mcf_sweep_id() -> str:
    """The schedule that looks for M3's deliveries that Amazon is to fulfil."""
    return "o2c-mcf"


def customer_return_reference(amazon_order_id: str, ponr: str, movement: int) -> str:
    """YREF of a customer return in M3 (30 characters): order, order line, and which of the line's returns it is.

    Raises ValueError where the line's number is longer than M3's own five digits.
    """
    if len(ponr) > 5 or not 0 < movement < 1000:
        raise ValueError(f"order line {ponr}, return {movement}, makes no reference of 30 characters")
    return f"{amazon_order_id}/{ponr}/{movement}"


def customer_return_message_number(repn: str, reli: str) -> str:
    """PMSN of a received customer return line (17 characters): by it M3 knows a repeated report (MHS850MI)."""
    return f"R{repn[-10:]}L{reli[-5:]}"
