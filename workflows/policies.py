"""How often and how long each kind of call is tried before an order is held.

Every activity has a start-to-close timeout and a heartbeat: a worker that dies is noticed within
`HEARTBEAT`, a call that hangs within the timeout. No schedule-to-close: what is not done is held, not failed.
"""

from datetime import timedelta
from typing import Final, NamedTuple

from temporalio.common import Priority, RetryPolicy

from canonical.activity_contracts import (
    AMAZON_CONFIRM_SHIPMENT_QUEUE,
    AMAZON_CREATE_REPORT_QUEUE,
    AMAZON_GET_ORDER_QUEUE,
    AMAZON_GET_REPORT_DOCUMENT_QUEUE,
    AMAZON_GET_REPORT_QUEUE,
    AMAZON_SEARCH_ORDERS_QUEUE,
    HELD,
    M3_QUEUE,
    ORDERS_QUEUE,
)
from canonical.import_contracts import IMPORT_REFUSED, IMPORTS_QUEUE
from canonical.mcf_contracts import AMAZON_CREATE_FULFILLMENT_QUEUE, AMAZON_GET_FULFILLMENT_QUEUE
from canonical.return_contracts import AMAZON_LIST_TRANSACTIONS_QUEUE
from canonical.settlement_contracts import STALE
from canonical.settlement_reports import AMAZON_GET_REPORTS_QUEUE
from canonical.sku.catalog import AMAZON_SEARCH_CATALOG_QUEUE
from canonical.stock.fba_contracts import AMAZON_INVENTORY_QUEUE

HEARTBEAT: Final = timedelta(seconds=30)


class CallPolicy(NamedTuple):
    """Where an activity runs and how it is retried."""

    queue: str
    timeout: timedelta
    retry: RetryPolicy


def _retry(attempts: int, longest: timedelta) -> RetryPolicy:
    return RetryPolicy(
        initial_interval=timedelta(seconds=1),
        backoff_coefficient=1.6,
        maximum_interval=longest,
        maximum_attempts=attempts,
        non_retryable_error_types=[HELD, IMPORT_REFUSED, STALE],
    )


M3_CALL: Final = CallPolicy(M3_QUEUE, timedelta(minutes=6), _retry(20, timedelta(seconds=30)))
"""About seven minutes of trying, most of it early: a booking is a dozen calls, and each may meet a fault."""

M3_WAIT: Final = CallPolicy(M3_QUEUE, timedelta(minutes=6), _retry(60, timedelta(minutes=1)))
"""For what M3 does in its own time (invoice jobs run at night): the activity says when to look again,
up to an hour apart, so that 60 looks cover more than two days."""

AMAZON_GET: Final = CallPolicy(AMAZON_GET_ORDER_QUEUE, timedelta(minutes=2), _retry(30, timedelta(minutes=2)))
AMAZON_CONFIRM: Final = CallPolicy(
    AMAZON_CONFIRM_SHIPMENT_QUEUE, timedelta(minutes=2), _retry(20, timedelta(minutes=2))
)
AMAZON_CREATE_FULFILLMENT: Final = CallPolicy(
    AMAZON_CREATE_FULFILLMENT_QUEUE, timedelta(minutes=2), _retry(30, timedelta(minutes=2))
)
AMAZON_GET_FULFILLMENT: Final = CallPolicy(
    AMAZON_GET_FULFILLMENT_QUEUE, timedelta(minutes=2), _retry(30, timedelta(minutes=2))
)

AMAZON_LIST_TRANSACTIONS: Final = CallPolicy(
    AMAZON_LIST_TRANSACTIONS_QUEUE, timedelta(minutes=5), _retry(50, timedelta(minutes=2))
)
TELLING: Final = CallPolicy(ORDERS_QUEUE, timedelta(minutes=30), _retry(20, timedelta(minutes=2)))
"""Handing facts to workflows: Temporal and the archive alone are asked."""

AMAZON_SEARCH: Final = CallPolicy(
    AMAZON_SEARCH_ORDERS_QUEUE, timedelta(minutes=10), _retry(100, timedelta(minutes=4))
)
"""searchOrders is refilled once in three minutes; a sweep that waits is better than one that gives up."""


AMAZON_CREATE_REPORT: Final = CallPolicy(
    AMAZON_CREATE_REPORT_QUEUE, timedelta(minutes=2), _retry(100, timedelta(minutes=4))
)
AMAZON_GET_REPORT: Final = CallPolicy(
    AMAZON_GET_REPORT_QUEUE, timedelta(minutes=2), _retry(0, timedelta(minutes=5))
)
"""Without end: the activity says when to look again until the report is finished."""
AMAZON_GET_REPORT_DOCUMENT: Final = CallPolicy(
    AMAZON_GET_REPORT_DOCUMENT_QUEUE, timedelta(minutes=30), _retry(100, timedelta(minutes=4))
)
"""A document of a year's orders takes minutes to come."""

AMAZON_GET_REPORTS: Final = CallPolicy(
    AMAZON_GET_REPORTS_QUEUE, timedelta(minutes=2), _retry(100, timedelta(minutes=4))
)
"""getReports is refilled once in 45 seconds."""
READING: Final = CallPolicy(IMPORTS_QUEUE, timedelta(minutes=30), _retry(20, timedelta(minutes=2)))
"""Reading an archived report of a million rows takes a minute."""
M3_SETTLEMENT: Final = CallPolicy(M3_QUEUE, timedelta(hours=4), _retry(60, timedelta(minutes=1)))
"""A settlement has thousands of orders, each looked up; what M3 posts in its own time is waited for, as by
`M3_WAIT`."""
M3_ALIASES: Final = CallPolicy(M3_QUEUE, timedelta(minutes=30), _retry(60, timedelta(minutes=1)))
"""Thousands of SKUs looked up in M3, a hundred in a call; nobody waits for it."""

AMAZON_GET_INVENTORY: Final = CallPolicy(
    AMAZON_INVENTORY_QUEUE, timedelta(hours=2), _retry(30, timedelta(minutes=2))
)
"""Every page of a marketplace: half a second for fifty SKUs."""
M3_READ_STOCK: Final = CallPolicy(M3_QUEUE, timedelta(minutes=30), _retry(20, timedelta(minutes=1)))
"""Balances of every item that Amazon keeps, a hundred in a call."""

AMAZON_SEARCH_CATALOG: Final = CallPolicy(
    AMAZON_SEARCH_CATALOG_QUEUE, timedelta(minutes=2), _retry(30, timedelta(minutes=2))
)

LIVE_PRIORITY: Final = 3
BULK_PRIORITY: Final = 5
"""Imports of the past stand behind live orders."""


def seller_priority(seller_id: str, key: int = 3) -> Priority:
    """Fairness by seller: a seller id belongs to one region, so it is the key Amazon counts its quota by."""
    return Priority(priority_key=key, fairness_key=seller_id)


def marketplace_priority(seller_id: str, marketplace_id: str, key: int = 3) -> Priority:
    """Fairness by seller and marketplace, where Amazon counts nothing: one marketplace's import cannot starve
    another's orders."""
    return Priority(
        priority_key=key, fairness_key=f"{seller_id}/{marketplace_id}" if marketplace_id else seller_id
    )
