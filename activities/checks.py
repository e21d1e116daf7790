"""One thing `o2c doctor` looked at, and what it found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """name: what was looked at. ok: whether work can start with it. sentence: what was found and, where it is
    not as it should be, how to put it right."""

    name: str
    ok: bool
    sentence: str
