"""`o2c simulators`: a pretended Amazon and a pretended M3 to try things against."""

import os
import shlex
import tempfile
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from starters.console import hint, say, say_json
from starters.demo.configuration import Addresses, write_configuration
from starters.demo.server import Server, start_server
from starters.processes import Children, until_stopped
from starters.session import run
from starters.simulation import Faults, amazon_command, m3_command

USUAL_SERVER: Final = Server("127.0.0.1:7233", "http://127.0.0.1:8233")
"""Where ``temporal server start-dev`` listens."""


class Wanted(NamedTuple):
    """What is asked of the simulators."""

    faults: Faults
    seed: int
    pace: float
    quota_factor: float
    temporal: bool
    write_config: Path | None


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
    temporal: Annotated[
        bool, typer.Option("--temporal", help="Run a Temporal development server beside them.")
    ] = False,
    write_config: Annotated[
        Path | None,
        typer.Option(
            "--write-config", help="Write a configuration for them into this folder: o2c.toml, env."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as JSON.")] = False,
) -> None:
    """Run a pretended Amazon and M3. Prints their addresses and runs until Ctrl-C."""
    wanted = Wanted(faults, seed, pace, quota_factor, temporal, write_config)
    with tempfile.TemporaryDirectory(prefix="o2c-simulators-") as temporary:
        run(_serve(data or Path(temporary), wanted, as_json=as_json))


async def _serve(folder: Path, wanted: Wanted, *, as_json: bool) -> None:
    common = ("--seed", str(wanted.seed), "--faults", wanted.faults.value, "--pace", str(wanted.pace))
    quota = ("--quota-factor", str(wanted.quota_factor))
    async with Children(folder) as children:
        amazon = await children.start_announced("amazon", amazon_command(folder / "amazon", *common, *quota))
        m3 = await children.start_announced("m3", m3_command(folder / "m3", *common))
        ionapi = folder / "m3" / "simulator.ionapi"
        server = await start_server(children, folder) if wanted.temporal else None
        addresses = Addresses(*(server or USUAL_SERVER), amazon, m3, ionapi)
        written = _write(wanted, addresses)
        if as_json:
            say_json(_told(addresses, server, written, folder))
        else:
            _say(addresses, server, written)
        await until_stopped()


def _write(wanted: Wanted, addresses: Addresses) -> Path | None:
    """The written configuration; None where none was asked for."""
    if wanted.write_config is None:
        return None
    wanted.write_config.mkdir(parents=True, exist_ok=True)
    return write_configuration(wanted.write_config, addresses, wanted.quota_factor)


def _told(at: Addresses, server: Server | None, written: Path | None, folder: Path) -> dict[str, object]:
    told: dict[str, object] = {
        "amazon": {"url": at.amazon, "control": f"{at.amazon}/_control/state"},
        "m3": {"url": at.m3, "control": f"{at.m3}/_control/state", "ionapi": str(at.ionapi)},
        "data": str(folder),
    }
    if server is not None:
        told["temporal"] = {"address": server.address, "web_ui": server.web_ui}
    if written is not None:
        told["config"] = str(written)
    return told


def _say(at: Addresses, server: Server | None, written: Path | None) -> None:
    say(f"Amazon    {at.amazon}  (control: {at.amazon}/_control/state)")
    say(f"M3        {at.m3}  (control: {at.m3}/_control/state, service account: {at.ionapi})")
    if server is not None:
        say(f"Temporal  {server.address}  (Web UI: {server.web_ui})")
    if written is not None:
        say(f"In another shell: source {shlex.quote(os.path.relpath(written.parent / 'env'))}")
    hint("Ctrl-C ends all of it.")
