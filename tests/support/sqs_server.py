"""``python -m tests.support.sqs_server``: an SQS over HTTP for the tests, which is moto's with two corrections.

Prints one line ``{"name": "sqs", "url": ...}`` and serves until it is ended.

moto answers requests in threads but guards its queues by no lock: a message sent while another is being
deleted can vanish, and two listeners can take the same one. And it counts the whole queue several times for
every message it takes or hands out, so that a thousand take half a minute. Both would look like faults of
the service. With ``--delete-seconds`` each call that deletes takes so long.
"""

import argparse
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from moto.core import utils as moto_clock
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sqs import models
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend
from werkzeug.serving import make_server

P = ParamSpec("P")
R = TypeVar("R")

GLANCE_SECONDS = 0.1
"""How often a long poll looks whether a message has become visible again."""

_lock = threading.RLock()
_counting = threading.Event()


def main() -> None:
    """Serve on any free port of this machine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--delete-seconds", type=float, default=0.0)
    _correct()
    _delete_slowly(parser.parse_args().delete_seconds)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    print(json.dumps({"name": "sqs", "url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    server.serve_forever()


def _correct() -> None:
    _lock_the_queues()
    _count_when_asked()
    for module in (moto_clock, models):
        setattr(module, "unix_time", _now)  # noqa: B010 - the types say that a function cannot be replaced
    setattr(models, "unix_time_millis", lambda: _now() * 1000)  # noqa: B010


def _lock_the_queues() -> None:
    receive = SQSBackend.receive_message

    def receive_message(
        self: SQSBackend,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Message]:
        until = time.monotonic() + wait_seconds_timeout
        while True:
            with _lock:
                got = receive(self, queue_name, count, 0, visibility_timeout, message_attribute_names)
            left = until - time.monotonic()
            if got or left <= 0:
                return got
            self.get_queue(queue_name).wait_for_messages(min(left, GLANCE_SECONDS))  # type: ignore[arg-type]

    def delete(self: Queue, receipt_handle: str) -> None:
        for place, message in enumerate(self._messages):
            if message.had_receipt_handle(receipt_handle):
                self.pending_messages.discard(message)
                self.deleted_messages.update(message.all_receipt_handles)  # type: ignore[arg-type]
                del self._messages[place]
                return
        if receipt_handle not in self.deleted_messages:
            raise ReceiptHandleIsInvalid

    def young_enough(self: SQSBackend, queue_name: str, message: Message) -> bool:
        kept = self.get_queue(queue_name).message_retention_period or 0  # type: ignore[attr-defined]
        return bool(kept + (message.sent_timestamp or 0) / 1000 > time.time())

    changed: dict[str, Callable[..., object]] = {
        "receive_message": receive_message,
        "is_message_valid_based_on_retention_period": young_enough,
        "send_message": _alone(SQSBackend.send_message),
        "delete_message": _alone(SQSBackend.delete_message),
        "change_message_visibility": _alone(SQSBackend.change_message_visibility),
        "purge_queue": _alone(SQSBackend.purge_queue),
    }
    for name, method in changed.items():
        setattr(SQSBackend, name, method)
    setattr(Queue, "delete_message", delete)  # noqa: B010


def _delete_slowly(seconds: float) -> None:
    delete = SQSBackend.delete_message_batch

    def after_a_while(
        self: SQSBackend, queue_name: str, receipts: list[dict[str, Any]]
    ) -> tuple[list[str], list[dict[str, str]]]:
        time.sleep(seconds)
        return delete(self, queue_name, receipts)

    setattr(SQSBackend, "delete_message_batch", after_a_while)  # noqa: B010


def _count_when_asked() -> None:
    """Count a queue's messages when somebody asks for its attributes, and at no other time."""
    ask = SQSBackend.get_queue_attributes

    def attributes(self: SQSBackend, queue_name: str, attribute_names: list[str]) -> dict[str, Any]:
        with _lock:
            _counting.set()
            try:
                return ask(self, queue_name, attribute_names)
            finally:
                _counting.clear()

    def when_asked(count: Callable[[Queue], int]) -> property:
        return property(lambda queue: count(queue) if _counting.is_set() else 0)

    setattr(SQSBackend, "get_queue_attributes", attributes)  # noqa: B010
    for which in ("", "_delayed", "_not_visible"):
        name = f"approximate_number_of_messages{which}"
        setattr(Queue, name, when_asked(getattr(Queue, name).fget))


def _alone(method: Callable[P, R]) -> Callable[P, R]:
    def guarded(*given: P.args, **named: P.kwargs) -> R:
        with _lock:
            return method(*given, **named)

    return guarded


_told = moto_clock.unix_time


def _now(moment: object = None) -> float:
    """moto's `unix_time`, without four datetimes for each look at the clock."""
    return time.time() if moment is None else _told(moment)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
