"""Which function answers which MI transaction, and what it is handed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from simulators.m3.errors import GENERIC, NotOk

if TYPE_CHECKING:
    from simulators.m3.world import World

Row = dict[str, str]
"""One output record by MI field name; fields left out get M3's blank of their type."""


@dataclass(frozen=True)
class Call:
    """One transaction as it reaches a program: only fields that were given, already checked for length and
    type."""

    program: str
    transaction: str
    fields: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        """The field's text, or `default` when it is blank or not given."""
        return self.fields.get(name, "") or default

    def number(self, name: str) -> Decimal | None:
        """The field as a number, None when not given. NotOk if it is none (many are declared as text)."""
        text = self.fields.get(name, "")
        if not text:
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise NotOk(GENERIC, name, f"Value {text} of field {name} is not numeric") from None
        if not value.is_finite():
            raise NotOk(GENERIC, name, f"Value {text} of field {name} is not numeric")
        return value

    def integer(self, name: str, default: int = 0) -> int:
        """The field as a whole number, or `default` when not given. NotOk if it is none."""
        value = self.number(name)
        if value is None:
            return default
        if value != value.to_integral_value():
            raise NotOk(GENERIC, name, f"Value {value} of field {name} has too many decimals")
        return int(value)


Handler = Callable[["World", Call], Iterable[Row]]

JobFunction = Callable[["World", Mapping[str, str]], None]
"""What M3 or a person does when a job is due, given the job's arguments."""

_HANDLERS: dict[tuple[str, str], Handler] = {}
_JOBS: dict[str, JobFunction] = {}

_WRITING = ("Add", "Chg", "Del", "Dlt", "Upd", "Clo", "Confirm", "Rel", "Prt", "Approve", "Ctrl", "Control")
_LISTING = ("Lst", "List", "Search", "Select")


def mi(program: str, *transactions: str) -> Callable[[Handler], Handler]:
    """Register a function as the answer to one or more transactions of a program."""

    def register(function: Handler) -> Handler:
        for transaction in transactions:
            _HANDLERS[program, transaction] = function
        return function

    return register


def job(kind: str) -> Callable[[JobFunction], JobFunction]:
    """Register a function as what happens when a job of this kind is due."""

    def register(function: JobFunction) -> JobFunction:
        _JOBS[kind] = function
        return function

    return register


def job_function(kind: str) -> JobFunction:
    """The function for this kind of job. KeyError if there is none."""
    return _JOBS[kind]


def handler(program: str, transaction: str) -> Handler:
    """The function that answers this transaction. KeyError if there is none."""
    return _HANDLERS[program, transaction]


def registered() -> dict[str, list[str]]:
    """Every transaction that has an answer, by program."""
    programs: dict[str, list[str]] = {}
    for program, transaction in sorted(_HANDLERS):
        programs.setdefault(program, []).append(transaction)
    return programs


def is_writing(transaction: str) -> bool:
    """Whether the transaction changes M3, judged by its name as MI names go."""
    return transaction.startswith(_WRITING)


def is_listing(transaction: str) -> bool:
    """Whether the transaction answers a list that maxrecs may cut."""
    return transaction.startswith(_LISTING)
