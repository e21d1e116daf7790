"""`o2c simulators`: a pretended Amazon and a pretended M3 to try things against."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from starters.console import hint, say, say_json
from starters.processes import Children, until_stopped
from starters.session import run
from starters.simulation import Faults, amazon_command, m3_command


def simulators(
    *,
    faults: Annotated[Faults, typer.Option("--faults", help="How often calls go wrong.")] = Faults.NONE,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same orders and faults.")] = 7,
    pace: Annotated[float, typer.Option("--pace", min=0, help="Multiplies every delay; 0 is none.")] = 1.0,
    quota_factor: Annotated[
        float, typer.Option("--quota-factor", min=0.01, help="Multiplies Amazon's documented request rates.")
    ] = 1.0,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of their databases.", show_default="temporary")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as JSON.")] = False,
) -> None:
    """Run a pretended Amazon and M3. Prints their addresses and runs until Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="o2c-simulators-") as temporary:
        run(_serve(data or Path(temporary), faults, seed, pace, quota_factor, as_json=as_json))


async def _serve(
    folder: Path, faults: Faults, seed: int, pace: float, quota_factor: float, *, as_json: bool
) -> None:
    common = ("--seed", str(seed), "--faults", faults.value, "--pace", str(pace))
    async with Children(folder) as children:
        amazon = await children.start_announced(
            "amazon", amazon_command(folder / "amazon", *common, "--quota-factor", str(quota_factor))
        )
        m3 = await children.start_announced("m3", m3_command(folder / "m3", *common))
        ionapi = folder / "m3" / "simulator.ionapi"
        if as_json:
            say_json(
                {
                    "amazon": {"url": amazon, "control": f"{amazon}/_control/state"},
                    "m3": {"url": m3, "control": f"{m3}/_control/state", "ionapi": str(ionapi)},
                    "data": str(folder),
                }
            )
        else:
            say(f"Amazon  {amazon}  (control: {amazon}/_control/state)")
            say(f"M3      {m3}  (control: {m3}/_control/state, service account: {ionapi})")
            hint("Ctrl-C ends both.")
        await until_stopped()
