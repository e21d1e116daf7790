"""`o2c demo`: the whole service on this machine, from an Amazon order to M3's ledger."""

from typing import Annotated

import typer

from starters.demo.run import Demo, run_demo
from starters.session import run
from starters.simulation import Faults


def demo(
    *,
    leave: Annotated[
        bool,
        typer.Option("--exit", help="End with a verdict: exit 0 only if all is well."),
    ] = False,
    orders: Annotated[int, typer.Option("--orders", min=1, help="How many orders buyers place.")] = 60,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same orders and faults.")] = 7,
    faults: Annotated[Faults, typer.Option("--faults", help="How often calls go wrong.")] = Faults.NONE,
    rate: Annotated[float, typer.Option("--rate", min=0.1, help="Orders placed per second.")] = 4.0,
    keep: Annotated[bool, typer.Option("--keep", help="Go on with what an earlier demo left.")] = False,
) -> None:
    """See it all on this machine. Buyers order at a pretended Amazon, every order travels through Temporal
    into a pretended M3, both sides are compared, and the Web UI stays up."""
    asked = Demo(orders=orders, seed=seed, faults=faults, per_second=rate, keep=keep, leave=leave)
    if not run(run_demo(asked)):
        raise typer.Exit(1)
