"""`o2c doctor`: what a first start needs, and how to put right what is missing."""

import typer

from starters.console import counted, say, say_json
from starters.options import AsJson, Config
from starters.session import run, settings_of


def doctor(config: Config = None, as_json: AsJson = False) -> None:
    """Check what a first start needs. Exit 1 if anything in Temporal, Amazon or M3 is wrong."""
    from worker.doctor import examine  # noqa: PLC0415 - loads the HTTP clients

    checks = run(examine(settings_of(config)))
    wrong = [check for check in checks if not check.ok]
    if as_json:
        say_json(
            {
                "ok": not wrong,
                "checks": [{"name": c.name, "ok": c.ok, "sentence": c.sentence} for c in checks],
            }
        )
    else:
        for check in checks:
            mark, style = ("ok   ", "green") if check.ok else ("WRONG", "red")
            say(f"{mark}  {check.name}: {check.sentence}", style)
        say(
            "Everything a first start needs is there."
            if not wrong
            else f"{counted(len(wrong), 'check')} failed."
        )
    if wrong:
        raise typer.Exit(1)
