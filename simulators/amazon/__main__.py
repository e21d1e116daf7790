"""``python -m simulators.amazon``: the simulator as a process of its own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from simulators import serving
from simulators.amazon.app import build_app
from simulators.amazon.settings import Settings
from simulators.faults import Profile


def main() -> None:
    """Read the command line, serve until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.amazon",
        description="A pretended Amazon Selling Partner API. Prints one line of JSON with its URL.",
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--data", type=Path, required=True, help="folder of its sqlite file")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--faults", choices=get_args(Profile), default="none")
    parser.add_argument("--pace", type=float, default=1.0, help="multiplies every delay")
    parser.add_argument("--clock-rate", type=float, default=1.0, help="speed of the simulator's clock")
    parser.add_argument("--quota-factor", type=float, default=1.0, help="multiplies Amazon's request rates")
    parser.add_argument("--visibility-delay", type=float, default=120.0, help="seconds before searches see")
    parser.add_argument("--token-lifetime", type=int, default=3600, help="seconds")
    parser.add_argument("--report-latency", type=float, default=15.0, help="seconds until a report is done")
    parser.add_argument("--listing-delay", type=float, default=30.0, help="seconds until a change is live")
    parser.add_argument("--feed-latency", type=float, default=30.0, help="seconds until a feed is done")
    parser.add_argument("--settlement-days", type=float, default=14.0, help="0: on request alone")
    parser.add_argument(
        "--settlement-forms",
        type=lambda text: tuple(text.split(",")),
        default=("v2", "v1", "xml"),
        help="reports that tell each",
    )
    parser.add_argument("--pii-refused", action="append", default=[], metavar="SELLER")
    parser.add_argument("--orders", type=int, default=0, help="length of the stream of orders")
    parser.add_argument("--per-second", type=float, default=0.0, help="its speed; 0 creates all at once")
    parser.add_argument("--trouble-share", type=float, default=0.0, help="share of it with planted trouble")
    parser.add_argument("--sqs-endpoint", default="", metavar="URL", help="SQS for the notifications")
    parser.add_argument("--notify-loss", type=float, default=0.0, help="share never delivered")
    parser.add_argument("--notify-duplicates", type=float, default=0.02, help="share delivered twice")
    parser.add_argument("--notify-delay", type=float, default=10.0, help="seconds a copy may be late")
    parser.add_argument("--notify-pending", type=float, default=0.5, help="share of Pending orders told")
    settings = Settings.model_validate(vars(parser.parse_args()))
    serving.run("amazon", build_app(settings), port=settings.port)


if __name__ == "__main__":
    main()
