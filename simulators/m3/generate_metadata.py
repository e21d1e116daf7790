"""Writes metadata.json: ``python -m simulators.m3.generate_metadata path/to/mi-transactions.json``.

Takes only the transactions this simulator answers, and of them only names, types, lengths and flags.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from simulators.m3 import programs
from simulators.m3.metadata import TransactionFacts


class SourceField(TypedDict):
    """One field as the export describes it."""

    field: str
    type: str
    length: int
    mandatory: NotRequired[bool]
    mandatory_onprem: NotRequired[bool]
    length_onprem: NotRequired[int]
    cloud_only: NotRequired[bool]
    onprem_only: NotRequired[bool]


class SourceTransaction(TypedDict):
    """One transaction as the export describes it."""

    input: list[SourceField]
    output: list[SourceField]


class SourceProgram(TypedDict):
    """One MI program as the export describes it."""

    transactions: dict[str, SourceTransaction]
    transaction_names: dict[str, list[str]]


Source = Mapping[str, SourceProgram]

SITE_LISTS: dict[str, TransactionFacts] = {
    "Lst_OOHEAD_CUOR": {
        "cloud_only": False,
        "input": "*OACUOR:A20 OAORNO:A10",
        "output": "OACUOR:A20 OAORNO:A10 OASTAT:A2 OAORSL:A2 OAORST:A2 OACUNO:A10 OAORTP:A3 OAFACI:A3",
    },
    "Lst_OCHEAD_YREF": {
        "cloud_only": False,
        "input": "*OCYREF:A30 OCREPN:N10",
        "output": "OCYREF:A30 OCREPN:N10 OCWHLO:A3 OCCUNO:A10 OCORNO:A10",
    },
}
"""The CMS100MI lists this pretended site has set up beside Lst_OXHEAD_CUOR, after the same pattern."""


def _word(field: SourceField) -> str:
    cloud = field.get("mandatory", False)
    onprem = field.get("mandatory_onprem", cloud)
    must = {(True, True): "*", (False, True): "?", (True, False): "!", (False, False): ""}[cloud, onprem]
    word = f"{must}{field['field']}:{field['type']}{field['length']}"
    if "length_onprem" in field:
        word += f"/{field['length_onprem']}"
    if field.get("cloud_only"):
        word += "@c"
    if field.get("onprem_only"):
        word += "@p"
    return word


def _words(fields: Iterable[SourceField]) -> str:
    return " ".join(_word(field) for field in fields)


def facts(source: Source, served: Mapping[str, Iterable[str]]) -> dict[str, dict[str, TransactionFacts]]:
    """The compact facts about the served transactions. KeyError if the source does not know one of them."""
    found: dict[str, dict[str, TransactionFacts]] = {}
    for program, names in sorted(served.items()):
        described = source[program]
        cloud_only = described["transaction_names"].get("cloud_only", [])
        found[program] = {}
        for name in sorted(names):
            if program == "CMS100MI" and name in SITE_LISTS:
                found[program][name] = SITE_LISTS[name]
                continue
            transaction = described["transactions"][name]
            found[program][name] = {
                "cloud_only": name in cloud_only,
                "input": _words(transaction["input"]),
                "output": _words(transaction["output"]),
            }
    return found


def main(path: Path) -> None:
    """Read the export at `path` and write metadata.json beside this module."""
    source = cast("Source", json.loads(path.read_text(encoding="utf-8")))
    text = json.dumps(facts(source, programs.served()), indent=1)
    Path(__file__).with_name("metadata.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
