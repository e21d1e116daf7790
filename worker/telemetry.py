"""Logs by structlog, traces by OpenTelemetry, metrics by Temporal's SDK. None carries secrets or
personal data."""

import logging
import sys
from typing import TextIO

import httpx
import structlog
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor, RequestInfo
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.trace import Span
from temporalio import activity, workflow
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from worker.settings import ConfigurationError, WorkerSettings

SERVICE = "amazon-m3-o2c"
_IDS = ("workflow_id", "run_id", "activity_type", "activity_id", "attempt", "workflow_type")


def configure_logging(settings: WorkerSettings) -> None:
    """Everything as one JSON object (or coloured line) per event on stderr; workflow logs drop replays.

    Workflow code logs through `workflow.logger`, never through structlog: that one is not replay-aware.
    """
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _ids_of_temporal,
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _ids_of_temporal(
    _logger: object, _method: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    """Which order and which attempt, on every line; the SDK's own dictionaries are flattened."""
    record = event.get("_record")
    for name in ("temporal_workflow", "temporal_activity"):
        found = getattr(record, name, None) or event.pop(name, None)
        if isinstance(found, dict):
            event.update({key: found[key] for key in _IDS if key in found})
    event.pop("temporal_workflow", None)
    event.pop("temporal_activity", None)
    if activity.in_activity():
        info = activity.info()
        event.setdefault("workflow_id", info.workflow_id)
        event.setdefault("activity_type", info.activity_type)
        event.setdefault("attempt", info.attempt)
    return event


def configure_tracing(settings: WorkerSettings) -> TracingInterceptor:
    """Spans for workflows, activities and every HTTP call. TracingInterceptor, since its workflow spans are
    written at once; the plugin's would wait weeks for the order to close."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
        if settings.trace_file is not None:
            provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter(out=_lines(settings))))
        trace.set_tracer_provider(provider)
        HTTPXClientInstrumentor().instrument(
            request_hook=without_query, async_request_hook=without_query_async
        )
    return TracingInterceptor()


def without_query(span: Span, request: RequestInfo) -> None:
    """Leave a URL's query out of its span: Amazon's presigned addresses have their signature in it, and buyers' names
    go to M3 in it."""
    plain = str(httpx.URL(str(request.url)).copy_with(query=None, fragment=None))
    for name in ("http.url", "url.full"):
        span.set_attribute(name, plain)


async def without_query_async(span: Span, request: RequestInfo) -> None:
    """The same for asynchronous clients."""
    without_query(span, request)


def configure_metrics(settings: WorkerSettings) -> Runtime | None:
    """The SDK's runtime with a Prometheus exporter; None without an address. Raises ConfigurationError."""
    if settings.metrics_address is None:
        return None
    prometheus = PrometheusConfig(
        bind_address=settings.metrics_address, durations_as_seconds=True, counters_total_suffix=True
    )
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=prometheus))
    except (ValueError, RuntimeError) as error:
        raise ConfigurationError(
            f"worker.metrics_address: nothing can be served at {settings.metrics_address}: {error}."
        ) from None


def _lines(settings: WorkerSettings) -> TextIO:
    if settings.trace_file is None:
        raise ValueError("trace_file is not set")
    settings.trace_file.parent.mkdir(parents=True, exist_ok=True)
    return settings.trace_file.open("a", encoding="utf-8")
