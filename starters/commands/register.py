"""`o2c register`: tell the Temporal server what orders need of it."""

from temporalio.client import Client

from starters.console import say
from starters.options import Config
from starters.session import run_connected, settings_of


def register(config: Config = None) -> None:
    """Prepare the Temporal namespace. Registers search attributes and queue rates; may be repeated."""
    from worker.registration import register as register_at_server  # noqa: PLC0415 - loads the HTTP clients

    settings = settings_of(config)

    async def work(client: Client) -> list[str]:
        return await register_at_server(client, settings)

    for sentence in run_connected(settings, work):
        say(sentence)
