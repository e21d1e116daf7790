"""Which MI programs exist here, with the fields, types, lengths and mandatory flags M3 declares for them.

The facts are in metadata.json, one line of field words per direction. A word reads

    *ITDS:A60/30@c      mandatory, name, type, length, length on-premises, cloud only

with type A text, N number or D date, ``@p`` for on-premises only and, in place of ``*``, ``?`` for mandatory
on-premises alone and ``!`` for mandatory in the cloud alone. Source: MI metadata of the cloud edition
(2020-06) and of 15.1 on-premises.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from simulators.m3.settings import Installation

_WORD = re.compile(
    r"(?P<must>[*?!]?)(?P<name>[A-Z0-9]+):(?P<type>[AND])(?P<length>\d+)(/(?P<onprem>\d+))?(@(?P<only>[cp]))?"
)
_FILE = Path(__file__).with_name("metadata.json")


class TransactionFacts(TypedDict):
    """One transaction as it stands in metadata.json."""

    cloud_only: bool
    input: str
    output: str


@dataclass(frozen=True)
class Field:
    """One field of a transaction: MI name, type A, N or D, and length in positions."""

    name: str
    type: str
    length: int
    mandatory: bool


@dataclass(frozen=True)
class Transaction:
    """One MI transaction: its input and output fields by name, in M3's order."""

    program: str
    name: str
    inputs: dict[str, Field]
    outputs: dict[str, Field]


Programs = dict[str, dict[str, Transaction]]


def _fields(words: str, profile: Installation) -> dict[str, Field]:
    onprem = profile == "onprem"
    fields = {}
    for word in words.split():
        match = _WORD.fullmatch(word)
        if match is None:
            raise ValueError(f"metadata.json holds a field word that cannot be read: {word!r}.")
        if match["only"] == ("c" if onprem else "p"):
            continue
        length = int(match["onprem"] or match["length"]) if onprem else int(match["length"])
        mandatory = match["must"] in (("*", "?") if onprem else ("*", "!"))
        fields[match["name"]] = Field(match["name"], match["type"], length, mandatory)
    return fields


@functools.cache
def load(profile: Installation) -> Programs:
    """The programs and transactions of one installation, as M3 itself would list them (MRS001)."""
    facts: dict[str, dict[str, TransactionFacts]] = json.loads(_FILE.read_text(encoding="utf-8"))
    programs: Programs = {}
    for program, transactions in facts.items():
        programs[program] = {
            name: Transaction(program, name, _fields(t["input"], profile), _fields(t["output"], profile))
            for name, t in transactions.items()
            if profile == "cloud" or not t["cloud_only"]
        }
    return programs
