"""`o2c views`: the lists an operator keeps, as links into the Web UI."""

from datetime import UTC, datetime

from starters.console import say, say_json
from starters.options import AsJson, Config
from starters.saved_views import saved_views
from starters.session import settings_of
from worker.connection import address_and_namespace


def views(as_json: AsJson = False, config: Config = None) -> None:
    """Print links to the useful lists. Each opens in the Web UI with the offer to save it under its name."""
    settings = settings_of(config)
    _, namespace = address_and_namespace(settings.temporal)
    found = saved_views(settings.web_ui, namespace, datetime.now(UTC))
    if as_json:
        say_json(found)
        return
    for view in found:
        say(f"{view.name}: {view.title}.", "bold")
        say(f"  {view.query}", "dim")
        say(f"  {view.link}")
