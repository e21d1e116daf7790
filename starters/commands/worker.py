"""`o2c worker`: host workflows and activities until asked to stop."""

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from starters.options import Config
from starters.session import run, settings_of


def worker(config: Config = None) -> None:
    """Run a worker. It ends at SIGTERM or Ctrl-C, after the calls under way."""
    from worker.main import run_worker  # noqa: PLC0415 - HTTP clients and telemetry are only loaded here

    try:
        run(run_worker(settings_of(config)))
    finally:
        provider = trace.get_tracer_provider()
        if isinstance(provider, TracerProvider):
            provider.shutdown()  # the process ends without Python's own clearing up; spans are written now
