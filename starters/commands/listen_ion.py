"""`o2c listen --ion`: take the messages of Infor ION."""

from worker.settings import Settings


async def listen_to_ion(settings: Settings) -> None:
    """Connect to Temporal and take M3's documents from Infor ION. It ends at SIGTERM or Ctrl-C, after the messages
    under way."""
    from starters.ion.serving import ion_settings, listen  # noqa: PLC0415 - the server is only loaded here
    from worker.connection import connect  # noqa: PLC0415
    from worker.telemetry import configure_logging  # noqa: PLC0415

    ion_settings(settings)
    configure_logging(settings.worker)
    await listen(await connect(settings), settings)
