"""`o2c worker`: host workflows and activities until asked to stop."""

from starters.options import Config
from starters.session import run, settings_of


def worker(config: Config = None) -> None:
    """Run a worker. It ends at SIGTERM or Ctrl-C, after the calls under way."""
    from worker.main import run_worker  # noqa: PLC0415 - HTTP clients and telemetry are only loaded here

    run(run_worker(settings_of(config)))
