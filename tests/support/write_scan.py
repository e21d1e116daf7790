"""The service's own code, read for every write that it may send to M3 or Amazon."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import activities
import simulators.m3.programs  # noqa: F401 - registers M3's transactions
import starters
import worker
from activities.amazon import operations
from activities.amazon.operations import Operation
from simulators.m3.registry import registered

_READING = ("Get", "Lst", "List", "Search", "Sel", "Chk")
"""How the names of MI transactions that change nothing begin."""
_SENDING = ("post", "put", "patch", "delete", "request", "send")
"""Methods with which httpx sends what may change something."""


def writes_at_amazon() -> set[str]:
    """Operations that may change something and that a module of the service has at hand."""
    used: set[str] = set()
    for module in _modules():
        assert operations not in vars(module).values(), (
            f"{module.__name__} has all of Amazon's operations at hand"
        )
        known = (each for each in vars(module).values() if isinstance(each, Operation))
        used |= {operation.name for operation in known if operation.method != "GET"}
    return used


def writes_to_m3() -> set[str]:
    """`program.transaction` of what changes M3: both names stand as texts in one module.

    A transaction whose program stands elsewhere is answered as `?.transaction`, so that it is in no matrix.
    """
    programs = registered()
    known = {name for names in programs.values() for name in names if not name.startswith(_READING)}
    found: set[str] = set()
    for module in _modules():
        texts = _texts_in(module)
        named = {f"{program}.{name}" for program in texts & set(programs) for name in programs[program]}
        mine = {each for each in named if each.partition(".")[2] in texts & known}
        lost = texts & known - {each.partition(".")[2] for each in mine}
        found |= mine | {f"?.{name}" for name in lost}
    return found


def modules_that_send() -> set[str]:
    """Modules of the activities that send something over HTTP themselves, other than a GET."""
    return {module.__name__ for module in _modules() if _sends(module)}


@cache
def _modules() -> tuple[ModuleType, ...]:
    return tuple(
        module
        for room in (activities, worker, starters)
        for module in _in_room(room)
        if module is not operations and not hasattr(module, "__path__")
    )


def _in_room(room: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        if not found.name.endswith(".__main__"):
            yield importlib.import_module(found.name)


@cache
def _tree(module: ModuleType) -> ast.Module:
    assert module.__file__ is not None
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


def _texts_in(module: ModuleType) -> set[str]:
    nodes = ast.walk(_tree(module))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _sends(module: ModuleType) -> bool:
    """Whether it calls such a method of something called http, as all of this service's clients are."""
    calls = (node.func for node in ast.walk(_tree(module)) if isinstance(node, ast.Call))
    return any(
        isinstance(called, ast.Attribute)
        and called.attr in _SENDING
        and ast.unparse(called.value).rpartition(".")[2].lstrip("_") in ("http", "httpx")
        for called in calls
    )
