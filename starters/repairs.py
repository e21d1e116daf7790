"""A repair as it is typed at the command line, checked here and sent to the order."""

import asyncio
import getpass
import json
import os
from enum import StrEnum
from typing import Final, NamedTuple

from pydantic import BaseModel
from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from canonical.fixes import Fix
from canonical.held import FixName
from starters.console import Refused
from starters.lookup import Found, ending_of, workers_seen
from workflows.repairs import BadRepair, read_fix

ANSWER_SECONDS: Final = 15.0
"""A worker answers an update within milliseconds; after this long nobody is there."""
AGAIN_SECONDS: Final = 0.2

_LISTS: Final = frozenset({"address.lines"})
"""Keys whose value is a list, its parts separated by ``|``."""


def read_action(text: str) -> FixName:
    """The repair that is meant; dashes are taken for underscores. Raises Refused."""
    try:
        return FixName(text.strip().lower().replace("-", "_"))
    except ValueError:
        raise Refused(f"{text!r} is no repair; repairs are {', '.join(FixName)}.", 2) from None


def signed(by: str) -> str:
    """Who repairs: what was said, $O2C_BY, or the name this person is logged in by."""
    if by.strip():
        return by.strip()
    try:
        return os.environ.get("O2C_BY", "").strip() or getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return ""


def read_argument(name: FixName, words: list[str], *, by: str = "", why: str = "") -> Fix:
    """The repair that the words describe: one JSON object, or key=value pairs. Raises Refused."""
    given = _read_json(words) if words and words[0].lstrip().startswith("{") else _read_pairs(name, words)
    given.update({key: text for key, text in (("by", by), ("why", why)) if text})
    try:
        return read_fix(name, (given,))
    except BadRepair as error:
        raise Refused(str(error), 2) from None


def _read_json(words: list[str]) -> dict[str, object]:
    try:
        given = json.loads(" ".join(words))
    except json.JSONDecodeError as error:
        raise Refused(f"The JSON cannot be read: {error.msg} at position {error.pos}.", 2) from None
    if not isinstance(given, dict):
        raise Refused(f"A repair takes a JSON object, not a {type(given).__name__}.", 2)
    return given


def _read_pairs(name: FixName, words: list[str]) -> dict[str, object]:
    given: dict[str, object] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise Refused(f"{word!r} is no key=value pair; {name} takes pairs such as sku=BLUE-MUG-2.", 2)
        _put(given, key, text.split("|") if key in _LISTS else text)
    return given


def _put(given: dict[str, object], key: str, value: object) -> None:
    """Write a dotted key into nested objects; a key given twice, or both as value and object, is refused."""
    *parents, last = key.split(".")
    place = given
    for parent in parents:
        inner = place.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise Refused(f"{key} is given although {parent} already has a value.", 2)
        place = inner
    if last in place:
        raise Refused(f"{key} is given twice.", 2)
    place[last] = value


class AnswerKind(StrEnum):
    """How a repair that was sent was answered."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    CLOSED = "closed"
    """The order was closed before the repair came."""
    NO_ANSWER = "no_answer"


class Answer(NamedTuple):
    """What came back for one repair."""

    kind: AnswerKind
    sentence: str


async def send_fix(client: Client, found: Found, name: FixName, repair: BaseModel) -> str:
    """Send the repair as an update and return the order's answer; raises Refused with its refusal."""
    if not found.is_open:
        raise Refused(f"{await ending_of(client, found)} There is nothing to repair.")
    answer = await ask(client, found.description.id, found.order_id, name, repair)
    if answer.kind is not AnswerKind.ACCEPTED:
        raise Refused(answer.sentence)
    return answer.sentence


class _Stuck:
    """Whether Temporal's last word on an update was that the order's workflow task had failed."""

    def __init__(self) -> None:
        self.seen = False


async def _sent(
    handle: WorkflowHandle[object, object], name: FixName, argument: object, stuck: _Stuck
) -> str:
    """Send the update; once more where the workflow task that took it came to nothing.

    That happens to one in hundreds under load, and where other news reaches the workflow in the same moment.
    """
    while True:
        try:
            answer: str = await handle.execute_update(name.value, argument, result_type=str)
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
            stuck.seen = True
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return answer


async def ask(client: Client, workflow_id: str, order_id: str, name: FixName, repair: BaseModel) -> Answer:
    """Send the repair as an update and wait a while for the answer; raises RPCError where Temporal fails."""
    handle = client.get_workflow_handle(workflow_id)
    argument = repair.model_dump(mode="json", exclude_defaults=True)
    stuck = _Stuck()
    try:
        async with asyncio.timeout(ANSWER_SECONDS) as patience:
            sentence = await _sent(handle, name, argument, stuck)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        if not patience.expired():
            raise
        failing = stuck.seen or await _fails(handle)
        return Answer(AnswerKind.NO_ANSWER, await _no_answer(client, order_id, name, failing=failing))
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        refusal = cause.message if isinstance(cause, ApplicationError) else str(cause)
        return Answer(AnswerKind.REFUSED, refusal)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Answer(
            AnswerKind.CLOSED, f"Order {order_id} was closed a moment ago; there is nothing to repair."
        )
    return Answer(AnswerKind.ACCEPTED, sentence)


async def _fails(handle: WorkflowHandle[object, object]) -> bool:
    """Whether the workflow's task has failed and is tried again: ever less often, so that nobody takes an update."""
    return (await handle.describe()).raw_description.pending_workflow_task.attempt > 1


async def _no_answer(client: Client, order_id: str, name: FixName, *, failing: bool) -> str:
    if failing:
        return (
            f"{name} of order {order_id} got no answer within {ANSWER_SECONDS:.0f} s: the order's workflow is stuck "
            "in a failing workflow task. The runbook says what to do (stuck workflow): the worker's code is "
            "the cause, not the order."
        )
    return (
        f"{name} of order {order_id} was accepted by nobody within {ANSWER_SECONDS:.0f} s: "
        f"{await workers_seen(client)}."
    )
