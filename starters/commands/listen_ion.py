"""`o2c ion`: take the messages of Infor ION."""

from starters.options import Config
from starters.session import run, settings_of
from worker.settings import Settings


def ion(config: Config = None) -> None:
    """Take M3's documents from Infor ION. It ends at SIGTERM or Ctrl-C, after the messages under way."""
    run(listen_to_ion(settings_of(config)))


async def listen_to_ion(settings: Settings) -> None:
    """Connect to Temporal and take ION's messages until asked to stop; for `o2c listen --ion`."""
    from starters.ion.serving import ion_settings, listen  # noqa: PLC0415 - the server is only loaded here
    from worker.connection import connect  # noqa: PLC0415
    from worker.telemetry import configure_logging  # noqa: PLC0415

    ion_settings(settings)
    configure_logging(settings.worker)
    await listen(await connect(settings), settings)
