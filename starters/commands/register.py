"""`o2c register`: tell the Temporal server what orders need of it."""

from temporalio.client import Client

from starters.console import say
from starters.options import Config
from starters.session import run_connected
from worker.settings import Settings


def register(config: Config = None) -> None:
    """Prepare the Temporal namespace. Registers search attributes and queue rates; may be repeated."""
    from worker.registration import register as register_at_server  # noqa: PLC0415 - loads the HTTP clients

    async def work(client: Client, settings: Settings) -> list[str]:
        return await register_at_server(client, settings)

    for sentence in run_connected(config, work):
        say(sentence)
