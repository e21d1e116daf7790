"""What a trace tells of a call to the outside."""

import httpx
from opentelemetry.instrumentation.httpx import AsyncOpenTelemetryTransport
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from worker.telemetry import without_query_async


async def test_a_span_has_neither_a_presigned_address_s_signature_nor_what_m3_is_asked() -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    transport = AsyncOpenTelemetryTransport(
        httpx.MockTransport(lambda _: httpx.Response(200)),
        tracer_provider=provider,
        request_hook=without_query_async,
    )
    async with httpx.AsyncClient(transport=transport) as http:
        await http.put(
            "https://store.example/place/key?X-Amz-Signature=5ec2e7&X-Amz-Expires=300", content=b"{}"
        )
        await http.get("https://m3.example/m3api-rest/v2/execute/CRS610MI/Add?CUNM=Erika%20Mustermann")
    told = [str(dict(span.attributes or {})) for span in spans.get_finished_spans()]
    assert len(told) == 2
    assert "https://store.example/place/key" in told[0]
    assert "execute/CRS610MI/Add" in told[1]
    assert not any(word in "".join(told) for word in ("5ec2e7", "Mustermann", "?"))
