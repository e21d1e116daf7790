"""The M3 simulator as a process of its own: how it starts, how it ends, what survives."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import httpx

from tests.contract.m3_simulator_client import M3


async def started(data: Path, *options: str) -> tuple[Process, M3]:
    command = (sys.executable, "-m", "simulators.m3", "--port", "0", "--data", str(data), *options)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert process.stdout is not None
    line = json.loads(await process.stdout.readline())
    assert line["name"] == "m3"
    m3 = M3(httpx.AsyncClient(), line["url"], json.loads((data / "simulator.ionapi").read_text()))
    await m3.login()
    return process, m3


async def test_it_says_one_line_and_ends_cleanly(tmp_path: Path) -> None:
    process, m3 = await started(tmp_path)
    assert (await m3.http.get(m3.url + "/_control/ionapi")).json() == m3.ionapi
    process.terminate()
    rest, _ = await process.communicate()
    assert (process.returncode, rest) == (0, b"")


async def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    process, m3 = await started(tmp_path, "--pace", "0")
    for number in range(20):
        await m3.call("OIS100MI.AddBatchHead", CUNO="AMZDE", ORTP="AZF", CUOR=f"C-{number}")
    process.kill()
    await process.wait()
    process, m3 = await started(tmp_path, "--pace", "0")
    kept = [row["CUOR"] for row in await m3.call("OIS100MI.LstBatchHead", CUNO="AMZDE")]
    again = await m3.one("OIS100MI.AddBatchHead", CUNO="AMZDE", ORTP="AZF", CUOR="next")
    process.terminate()
    await process.wait()
    assert kept == [f"C-{number}" for number in range(20)]
    assert again["ORNO"] == "0000004731"


async def test_harsh_faults_spoil_answers_but_not_the_books(tmp_path: Path) -> None:
    process, m3 = await started(tmp_path, "--pace", "0", "--faults", "harsh", "--rate-limit", "10000")
    seen: set[int | str] = set()
    for number in range(150):
        try:
            answer = await m3.get(
                "OIS100MI", "AddBatchHead", CUNO="AMZDE", ORTP="AZF", WHLO="AFE", CUOR=f"C-{number}"
            )
        except httpx.TransportError:
            seen.add("dropped")
            continue
        seen.add(answer.status_code)
        if answer.status_code == 401:
            await m3.login()
    state = (await m3.http.get(m3.url + "/_control/state")).json()
    process.terminate()
    await process.wait()
    assert {200, 400, 429, 500, 503, "dropped"} <= seen
    assert 0 < state["temporary_orders_by_status"]["10"] <= 150
