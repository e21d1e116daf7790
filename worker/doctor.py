"""What a first start needs, looked at one by one; each line says how to put right what is wrong."""

import asyncio

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.amazon.checks import check_amazon
from activities.checks import Check
from activities.m3.checks import check_m3
from worker.archiving import check_archive
from worker.connection import NotReachable, connect
from worker.outside import outside
from worker.quota.limits import paused_sentence, read_rates
from worker.registration import search_attribute_types
from worker.schedules import check_schedules
from worker.settings import ConfigurationError, Settings
from workflows import search_attributes

__all__ = ["Check", "examine"]

_LONGEST_RETENTION_DAYS = 30
"""Amazon's data protection policy: personal data no longer than 30 days after delivery."""


async def examine(settings: Settings) -> list[Check]:
    """All checks, in the order in which a person would repair them."""
    checks = [Check("configuration", ok=True, sentence="The configuration was read and fits together.")]
    checks += await _temporal(settings)
    checks.append(await asyncio.to_thread(check_archive, settings.archive))
    try:
        async with outside(settings) as systems:
            checks += await check_amazon(systems.amazon, stock=settings.stock is not None)
            checks += await check_m3(systems.m3, systems.m3_options, settings.marketplaces)
            checks.append(_alerts(systems.alerts.names))
    except ConfigurationError as error:
        checks.append(Check("secrets", ok=False, sentence=str(error)))
    return checks


def _alerts(targets: tuple[str, ...]) -> Check:
    """Nobody to tell is a choice; an address that apprise cannot read was refused before."""
    if not targets:
        sentence = "Nobody is told of held orders; [alerts.targets] would name whom."
    else:
        sentence = f"Told are {', '.join(targets)}; 'o2c alerts --test' shows whether they can be reached."
    return Check("alerts", ok=True, sentence=sentence)


async def _temporal(settings: Settings) -> list[Check]:
    try:
        client = await connect(settings)
    except NotReachable as error:
        return [Check("temporal", ok=False, sentence=str(error))]
    checks = [Check("temporal", ok=True, sentence=f"The server answers, namespace {client.namespace}.")]
    try:
        checks.append(await _retention(client))
        checks.append(await _attributes(client))
        checks.append(await _queues(client))
        checks.append(await check_schedules(client, settings))
    except RPCError as error:
        checks.append(
            Check("temporal", ok=False, sentence=f"The server refused a question: {error.message}.")
        )
    return checks


async def _retention(client: Client) -> Check:
    answer = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=client.namespace)
    )
    days = answer.config.workflow_execution_retention_ttl.seconds / 86400
    ok = days <= _LONGEST_RETENTION_DAYS
    sentence = f"Closed orders are kept for {days:g} days."
    if not ok:
        sentence += (
            " Amazon allows personal data for 30 days: temporal operator namespace update --retention 30d."
        )
    return Check("retention", ok, sentence)


async def _attributes(client: Client) -> Check:
    existing = await search_attribute_types(client)
    missing = [key.name for key in search_attributes.ALL if key.name not in existing]
    if missing:
        return Check(
            "search attributes", ok=False, sentence=f"Missing: {', '.join(missing)}. Run 'o2c register'."
        )
    return Check("search attributes", ok=True, sentence="All are registered.")


async def _queues(client: Client) -> Check:
    rates = await read_rates(client)
    unlimited = [
        queue for queue, rate in rates.items() if "amazon" in queue and rate.per_fairness_key is None
    ]
    if unlimited:
        return Check("quotas", ok=False, sentence=f"No quota on {', '.join(unlimited)}. Run 'o2c register'.")
    paused = [rate for rate in rates.values() if rate.paused]
    if paused:
        return Check("quotas", ok=False, sentence=" ".join(paused_sentence(rate) for rate in paused))
    return Check("quotas", ok=True, sentence="Amazon's quotas are set on the task queues.")
