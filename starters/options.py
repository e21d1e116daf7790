"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Configuration file.", show_default="$O2C_CONFIG or ./o2c.toml"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
Seller = Annotated[
    str | None,
    typer.Option("--seller", "-s", help="Seller id.", show_default="the only one configured"),
]
Since = Annotated[
    str | None, typer.Option("--since", help="From this moment, ISO 8601 with offset: 2026-11-20T00:00Z.")
]
Until = Annotated[
    str | None, typer.Option("--until", help="Up to this moment, ISO 8601 with offset.", show_default="now")
]
