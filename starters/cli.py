"""`o2c`: the ways in, as one command."""

import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import typer
from typer.core import TyperGroup

from starters.commands import (
    alerts,
    audit,
    demo,
    doctor,
    due,
    fix,
    held,
    imports,
    inventory,
    inventory_fba,
    listen,
    order,
    quotas,
    register,
    returns,
    schedules,
    settlement,
    settlement_posting,
    settlement_sheet,
    simulators,
    sku,
    sku_mapping,
    start,
    subscribe,
    sweep,
    views,
    worker,
)
from starters.console import Refused, complain


class Commands(TyperGroup):
    """The command group; a refusal becomes its sentence and its exit status, never a traceback."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            # Typer reads values with pydantic, whose word for the kind of error is no part of a sentence.
            error.message = error.message.removeprefix("Value error, ")
            raise
        except Refused as refusal:
            complain(str(refusal))
            raise typer.Exit(refusal.status) from None
        except BrokenPipeError:
            raise typer.Exit(1) from None
        except OSError as error:
            complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.")
            raise typer.Exit(1) from None


def _example(line: str) -> str:
    """An example as the help shows it: on a line of its own, never folded."""
    return f"\b\nExample:\n  {line}"


app = typer.Typer(
    name="o2c",
    cls=Commands,
    help="Amazon orders as durable workflows in Infor M3: start, watch, repair and audit them.",
    epilog=_example("o2c demo --exit"),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

app.command("worker", epilog=_example("o2c worker --config o2c.toml"))(worker.worker)
app.command("register", epilog=_example("o2c register"))(register.register)
app.command("doctor", epilog=_example("o2c doctor --json"))(doctor.doctor)
app.command("start", epilog=_example("o2c start 028-1234567-8901234 --seller A2EUSELLER0001"))(start.start)
app.command("import", epilog=_example("o2c import orders.jsonl --seller A2EUSELLER0001 --dry-run"))(
    imports.import_orders
)
app.command("sweep", epilog=_example("o2c sweep --since 2026-11-20T00:00Z"))(sweep.sweep)
app.command("returns", epilog=_example("o2c returns --older-than 30"))(returns.returns)
app.add_typer(settlement.app, epilog=_example("o2c settlement preview 25719799032.txt --json"))
settlement.app.command("list", epilog=_example("o2c settlement list --open"))(
    settlement_posting.list_settlements
)
settlement.app.command("post", epilog=_example("o2c settlement post 23874396421.txt"))(
    settlement_posting.post
)
settlement.app.command("show", epilog=_example("o2c settlement show 23874396421 --html 23874396421.html"))(
    settlement_sheet.show
)
settlement.app.command("deferred", epilog=_example("o2c settlement deferred --json"))(
    settlement_sheet.deferred
)
settlement.app.command("unknown", epilog=_example("o2c settlement unknown --json"))(settlement_sheet.unknown)
sku.app.command("list", epilog=_example("o2c sku list --json"))(sku_mapping.list_skus)
sku.app.command("suggest", epilog=_example("o2c sku suggest BLUE-MUG-2 --now"))(sku_mapping.suggest)
sku.app.command("map", epilog=_example("o2c sku map BLUE-MUG-2 10023 --why 'new pack size'"))(
    sku_mapping.map_sku
)
app.add_typer(sku.app, epilog=_example("o2c sku evaluate listings.csv items.csv pairs.csv --json"))
inventory.app.command("fba", epilog=_example("o2c inventory fba --json"))(inventory_fba.fba)
inventory.app.command("adjustments", epilog=_example("o2c inventory adjustments --since 2026-09-01T00:00Z"))(
    inventory_fba.adjustments
)
app.add_typer(inventory.app, epilog=_example("o2c inventory fba"))
app.command("subscribe", epilog=_example("o2c subscribe --show"))(subscribe.subscribe)
app.command("listen", epilog=_example("o2c listen --dead-letters"))(listen.listen)
app.command("held", epilog=_example("o2c held --reason unmapped_sku"))(held.held)
app.command("due", epilog=_example("o2c due --hours 48"))(due.due)
app.command(
    "fix", epilog=_example("o2c fix 028-1234567-8901234 map_sku sku=BLUE-MUG-2 itno=10023 --by operations")
)(fix.fix)
app.command("order", epilog=_example("o2c order 028-1234567-8901234"))(order.order)
app.command("alerts", epilog=_example("o2c alerts --test"))(alerts.alerts)
app.command("views", epilog=_example("o2c views"))(views.views)
app.command("schedules", epilog=_example("o2c schedules apply"))(schedules.schedules)
app.command("quotas", epilog=_example("o2c quotas --json"))(quotas.quotas)
app.command("pause", epilog=_example('o2c pause m3 --why "M3 is being upgraded"'))(quotas.pause)
app.command("resume", epilog=_example("o2c resume m3"))(quotas.resume)
app.command("audit", epilog=_example("o2c audit --since 2026-11-01T00:00Z --json"))(audit.audit)
app.command("simulators", epilog=_example("o2c simulators --faults mild --seed 7"))(simulators.simulators)
app.command("demo", epilog=_example("o2c demo --exit --orders 200 --seed 7"))(demo.demo)


def main() -> NoReturn:
    """Entry point of the console command.

    The process ends without Python's own clearing up: a thread of Temporal's core that still lets go of a
    Python object at that moment would abort it, and the exit status would say something else than the command.
    """
    status = _status()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(status)


def _status() -> int:
    try:
        app()
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as error:
        complain(f"o2c met an error of its own: {type(error).__name__} at {_place(error)}. Please report it.")
        return 70
    return 0


def _place(error: Exception) -> str:
    """The innermost place in our own rooms, as file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "an unknown place"
