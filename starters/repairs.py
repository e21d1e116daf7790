"""A repair as it is typed at the command line, checked here and sent to the order."""

import asyncio
import json
from typing import Final

from pydantic import BaseModel
from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from canonical.fixes import Fix
from canonical.held import FixName
from starters.console import Refused
from starters.lookup import Found, ending_of, workers_seen
from workflows.repairs import BadRepair, read_fix

ANSWER_SECONDS: Final = 15.0
"""A worker answers an update within milliseconds; after this long nobody is there."""

_LISTS: Final = frozenset({"address.lines"})
"""Keys whose value is a list, its parts separated by ``|``."""


def read_action(text: str) -> FixName:
    """The repair that is meant; dashes are taken for underscores. Raises Refused."""
    try:
        return FixName(text.strip().lower().replace("-", "_"))
    except ValueError:
        raise Refused(f"{text!r} is no repair; repairs are {', '.join(FixName)}.", 2) from None


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


async def send_fix(client: Client, found: Found, name: FixName, repair: BaseModel) -> str:
    """Send the repair as an update and return the order's answer; raises Refused with its refusal."""
    order_id = found.order_id
    if not found.is_open:
        raise Refused(f"{await ending_of(client, found)} There is nothing to repair.")
    handle = client.get_workflow_handle(found.description.id)
    argument = repair.model_dump(mode="json", exclude_defaults=True)
    try:
        async with asyncio.timeout(ANSWER_SECONDS) as patience:
            answer: str = await handle.execute_update(name.value, argument, result_type=str)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        if not patience.expired():
            raise
        raise Refused(
            f"{name} of order {order_id} was accepted by nobody within {ANSWER_SECONDS:.0f} s: "
            f"{await workers_seen(client)}."
        ) from None
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        raise Refused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise Refused(f"Order {order_id} was closed a moment ago; there is nothing to repair.") from None
    return answer
