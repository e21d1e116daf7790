"""What a namespace needs before the first order: search attributes, the queues' quotas. Repeatable."""

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from canonical.activity_contracts import M3_QUEUE
from worker.quota.limits import apply_amazon_quotas, paused_sentence, read_rates, set_m3_rate
from worker.settings import ConfigurationError, Settings
from workflows import search_attributes


async def register(client: Client, settings: Settings) -> list[str]:
    """Create what is missing and say what was done; raises ConfigurationError on a clash of types."""
    said = [await _search_attributes(client)]
    factors = {seller_id: seller.quota_factor for seller_id, seller in settings.sellers.items()}
    await apply_amazon_quotas(client, factors)
    times = " and ".join(sorted({f"{factor:g}" for factor in factors.values()} - {"1"}))
    configured = f", times {times} as configured" if times else ""
    said.append(f"Amazon's documented quotas are set on its task queues{configured}.")
    rates = await read_rates(client)
    said += [paused_sentence(rate) for rate in rates.values() if rate.paused]
    if not rates[M3_QUEUE].paused:
        rate = settings.m3.requests_per_second
        await set_m3_rate(client, rate, "m3.requests_per_second")
        said.append(
            f"The M3 queue is limited to {rate:g}/s." if rate else "The M3 queue has no limit of its own."
        )
    return said


async def search_attribute_types(client: Client) -> dict[str, int]:
    """Custom search attributes of the namespace, by name, as Temporal's IndexedValueType."""
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return dict(answer.custom_attributes)


async def _search_attributes(client: Client) -> str:
    existing = await search_attribute_types(client)
    wanted = {key.name: int(key.indexed_value_type) for key in search_attributes.ALL}
    for name, kind in wanted.items():
        if name in existing and existing[name] != kind:
            raise ConfigurationError(
                f"The namespace has a search attribute {name} of another type "
                f"({IndexedValueType.Name(IndexedValueType.ValueType(existing[name]))}); use another one."
            )
    missing = {name: kind for name, kind in wanted.items() if name not in existing}
    if not missing:
        return f"All {len(wanted)} search attributes are registered."
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes={name: IndexedValueType.ValueType(kind) for name, kind in missing.items()},
            )
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
    return f"Search attributes registered: {', '.join(missing)}."
