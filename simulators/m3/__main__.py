"""``python -m simulators.m3 --data DIR``: M3 as a process of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

from simulators.m3.app import build_app, write_ionapi
from simulators.m3.settings import M3Settings
from simulators.serving import run


def _arguments(argv: list[str] | None = None) -> M3Settings:
    parser = argparse.ArgumentParser(prog="python -m simulators.m3", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of its memory and of simulator.ionapi"
    )
    parser.add_argument("--seed", type=int, default=7, help="seed of everything left to chance")
    parser.add_argument("--faults", choices=("none", "mild", "harsh"), default="none")
    parser.add_argument("--pace", type=float, default=1.0, help="multiplies every delay; 0 is no delay")
    parser.add_argument("--held-clock", action="store_true", help="time passes by /_control/advance only")
    parser.add_argument("--profile", choices=("cloud", "onprem"), default="cloud")
    parser.add_argument(
        "--no-cuor-list", action="store_true", help="a site without the CMS100MI lists by CUOR"
    )
    parser.add_argument(
        "--no-exportmi", action="store_true", help="a site that does not let EXPORTMI be called"
    )
    parser.add_argument("--token-lifetime", type=int, default=7200, help="seconds")
    parser.add_argument("--rate-limit", type=float, default=200.0, help="requests per second before 429")
    parser.add_argument("--gateway-timeout", type=float, default=60.0, help="seconds before 504")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds every request takes")
    parser.add_argument("--search-lag", type=float, default=2.0, help="seconds the search index lags behind")
    parser.add_argument(
        "--split-share", type=float, default=0.15, help="share of orders shipped in two parts"
    )
    parser.add_argument(
        "--manual-invoice",
        metavar="ORTP",
        action="append",
        default=[],
        help="order type invoiced by PrtInvoice",
    )
    given = parser.parse_args(argv)
    return M3Settings(
        data=given.data,
        port=given.port,
        seed=given.seed,
        faults=given.faults,
        pace=given.pace,
        held_clock=given.held_clock,
        profile=given.profile,
        cuor_list=not given.no_cuor_list,
        exportmi=not given.no_exportmi,
        token_lifetime=given.token_lifetime,
        rate_limit=given.rate_limit,
        gateway_timeout=given.gateway_timeout,
        latency=given.latency,
        search_lag=given.search_lag,
        split_share=given.split_share,
        manual_invoice_types=frozenset(given.manual_invoice),
    )


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = _arguments()
    run("m3", build_app(settings), port=settings.port, ready=lambda url: write_ionapi(settings, url))


if __name__ == "__main__":
    main()
