"""Finding an order's workflow, and saying how it stands."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import (
    after_close_workflow_id,
    correction_workflow_id,
    is_amazon_order_id,
    mcf_subject,
    mcf_workflow_id,
    order_workflow_id,
    return_case_workflow_id,
    return_subject,
)
from canonical.mcf_contracts import McfResult
from canonical.order_contracts import OrderResult
from canonical.settlement_contracts import SettlementResult
from canonical.settlement_ids import settlement_subject, settlement_workflow_id
from canonical.stock.fba_contracts import FbaCorrectionView
from canonical.stock.fba_ids import fba_correction_of_text, fba_correction_workflow_id
from starters.console import Refused
from starters.times import shown
from worker.known_workflows import described, result_of_run
from workflows import search_attributes as sa


class Found(NamedTuple):
    """An order's workflow as the server describes it."""

    seller_id: str
    order_id: str
    description: WorkflowExecutionDescription

    @property
    def is_open(self) -> bool:
        return self.description.status is WorkflowExecutionStatus.RUNNING

    @property
    def is_held(self) -> bool:
        return bool(self.description.typed_search_attributes.get(sa.HELD_REASON))


def check_order_id(text: str) -> str:
    """`text` without surrounding blanks; raises Refused where it is no Amazon order id."""
    order_id = text.strip()
    if not is_amazon_order_id(order_id):
        raise Refused(f"{text!r} is no Amazon order id; one looks like 028-1234567-8901234.", 2)
    return order_id


def check_subject(text: str) -> str:
    """An Amazon order id, with ``/SKU`` a return case, M3's order and delivery number of what Amazon fulfils, a
    settlement's id, or that of stock corrections; raises Refused."""
    plain = text.strip()
    known = mcf_subject(plain) or return_subject(plain) or _money_or_stock(plain)
    return plain if known else check_order_id(text)


async def find_subject(client: Client, sellers: Sequence[str], subject: str) -> Found:
    """The workflow that can be repaired, of an order, a return case, a delivery that Amazon fulfils, a settlement, or
    stock corrections; raises Refused."""
    if _money_or_stock(subject):
        return await find_order(client, sellers, subject)
    known = mcf_subject(subject)
    if known is None:
        return await find_open(client, sellers, subject)
    description = await described(client, mcf_workflow_id(*known))
    if description is None:
        raise Refused(
            f"Temporal has no workflow of M3 delivery {subject} (looked for {mcf_workflow_id(*known)}): Amazon was "
            "never asked to fulfil it here, or its history is past retention."
        )
    return Found("", subject, description)


async def find_order(client: Client, sellers: Sequence[str], order_id: str) -> Found:
    """The order's workflow, of the one of these sellers that has it; raises Refused."""
    descriptions = await asyncio.gather(
        *(described(client, _workflow_id(seller, order_id)) for seller in sellers)
    )
    found = [
        Found(seller, order_id, description)
        for seller, description in zip(sellers, descriptions, strict=True)
        if description is not None
    ]
    if not found:
        tried = ", ".join(_workflow_id(seller, order_id) for seller in sellers)
        noun = _money_or_stock(order_id) or "order"
        raise Refused(
            f"Temporal has no workflow of {noun} {order_id} (looked for {tried}): it was never started here, "
            "or its history is past retention."
        )
    if len(found) > 1:
        raise Refused(
            f"Several sellers have an order {order_id}; name one with --seller: "
            f"{', '.join(one.seller_id for one in found)}.",
            2,
        )
    return found[0]


async def find_open(client: Client, sellers: Sequence[str], order_id: str) -> Found:
    """The workflow that can be repaired: the order's own, the one that carries what Amazon said of it after it was
    closed, or the one that corrects its packages; what is held goes first. Where none is open it is the order's
    own. Raises Refused."""
    found = await find_order(client, sellers, order_id)
    if return_subject(order_id) or (found.is_open and found.is_held):
        return found
    ids = [
        of(found.seller_id, order_id)
        for of in (after_close_workflow_id, correction_workflow_id)
        if of is correction_workflow_id or not found.is_open
    ]
    others = await asyncio.gather(*(described(client, one) for one in ids))
    beside = [Found(found.seller_id, order_id, one) for one in others if one is not None]
    opened = [one for one in (found, *beside) if one.is_open]
    return next((one for one in opened if one.is_held), opened[0] if opened else found)


def _workflow_id(seller_id: str, subject: str) -> str:
    """Of an order, with ``/SKU`` of its return case, of a settlement, or of stock corrections."""
    if fba_correction_of_text(subject):
        return fba_correction_workflow_id(seller_id, subject)
    if settlement_subject(subject):
        return settlement_workflow_id(seller_id, subject)
    case = return_subject(subject)
    return return_case_workflow_id(seller_id, *case) if case else order_workflow_id(seller_id, subject)


async def result_of(client: Client, found: Found) -> OrderResult | None:
    """How a closed order ended; None where it was terminated, failed, or is still open."""
    if found.description.status is not WorkflowExecutionStatus.COMPLETED:
        return None
    try:
        return await result_of_run(client, found.description, OrderResult)
    except WorkflowFailureError:
        return None


def _money_or_stock(subject: str) -> str:
    """The noun of what is no order's: a settlement, stock corrections; empty for all else."""
    if fba_correction_of_text(subject):
        return "stock correction"
    return "settlement" if settlement_subject(subject) else ""


async def _result_of_any(
    client: Client, found: Found
) -> OrderResult | McfResult | SettlementResult | FbaCorrectionView | None:
    if found.description.status is not WorkflowExecutionStatus.COMPLETED:
        return None
    if settlement_subject(found.order_id):
        return await result_of_run(client, found.description, SettlementResult)
    if fba_correction_of_text(found.order_id):
        return await result_of_run(client, found.description, FbaCorrectionView)
    if mcf_subject(found.order_id) is None:
        return await result_of(client, found)
    return await result_of_run(client, found.description, McfResult)


async def ending_of(client: Client, found: Found) -> str:
    """A sentence on how a closed order ended."""
    result = await _result_of_any(client, found)
    status = found.description.status.name.lower() if found.description.status else "closed"
    said = result.sentence if result else f"Its workflow is {status}."
    noun = "Delivery" if mcf_subject(found.order_id) else "Order"
    noun = (_money_or_stock(found.order_id) or noun).capitalize()
    return f"{noun} {found.order_id} is closed since {shown(found.description.close_time)}. {said}"


async def last_poll(client: Client) -> datetime | None:
    """When a worker last asked for the orders' workflows; None where none did in the last five minutes."""
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=ORDERS_QUEUE),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    return max((poller.last_access_time.ToDatetime(tzinfo=UTC) for poller in answer.pollers), default=None)


async def workers_seen(client: Client) -> str:
    """A sentence on who polls the queue of the orders' workflows, to follow a colon."""
    last = await last_poll(client)
    if last is None:
        return f"no worker polls the queue {ORDERS_QUEUE}; start one with 'o2c worker'"
    return f"a worker polled the queue {ORDERS_QUEUE} last at {last:%H:%M:%S}Z and answered nothing"
