"""The targets of alerts, by apprise: mail, chat, pager, or any HTTP address.

A target's address is a secret as a whole: tokens stand in its path, passwords before its host, and every service
puts them elsewhere. It is therefore never logged, never quoted, and what a service answers is told as a status
code, since apprise's own words may repeat parts of the address.
"""

import asyncio
import logging
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from apprise import Apprise, AppriseAsset, AppriseResult, AppriseResultStatus, NotifyFormat, NotifyType
from pydantic import SecretStr

from canonical.alert_contracts import AlertMessage

SECONDS: Final = 45
"""How long one target may take for one message."""
_AT_ONCE: Final = 8
_STATUS: Final = re.compile(r"\berror=(\d{3})\b")


class NotDelivered(Exception):  # noqa: N818 - said as a sentence
    """The target did not take the message; the text says what it answered, and nothing secret."""


class UnknownTarget(Exception):  # noqa: N818 - said as a sentence
    """The configuration has no target of this name."""


class UnreadableAddress(Exception):  # noqa: N818 - said as a sentence
    """apprise cannot read a target's address; the text names the target, never the address."""


class AlertTargets:
    """The configured targets; each message goes to one of them, in a thread of its own."""

    def __init__(self, addresses: Mapping[str, SecretStr]) -> None:
        """`addresses`: apprise's URL by name. Raises UnreadableAddress."""
        _keep_addresses_out_of_logs()
        self._targets = {name: _target(name, address) for name, address in addresses.items()}
        self._threads = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="alert")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._targets)

    async def send(self, name: str, message: AlertMessage) -> None:
        """Send `message` to the target `name`; raises NotDelivered or UnknownTarget."""
        target = self._targets.get(name)
        if target is None:
            raise UnknownTarget(f"The configuration has no alert target {name} any more.")
        result = await asyncio.get_running_loop().run_in_executor(self._threads, _notify, target, message)
        if not result:
            raise NotDelivered(f"The alert target {name} {_reason(result)}.")

    def close(self) -> None:
        """Let go of the threads; a message on its way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _target(name: str, address: SecretStr) -> Apprise:
    look = AppriseAsset(app_id="o2c", app_desc="Amazon orders in M3", image_url_mask="", image_url_logo="")
    target = Apprise(asset=look)
    if not target.add([address.get_secret_value()]):
        raise UnreadableAddress(
            f"The address of the alert target {name} is none that apprise understands; "
            "its documentation lists one form for each service."
        )
    for service in target:
        # As HTML or Markdown a command would be no longer the command: blanks and underscores are rewritten.
        service.notify_format = NotifyFormat.TEXT
    return target


def _notify(target: Apprise, message: AlertMessage) -> AppriseResult:
    return target.notify(
        title=message.title,
        body=message.body,
        notify_type=NotifyType(message.severity.value),
        body_format=NotifyFormat.TEXT,
        timeout=SECONDS,
    )


def _reason(result: AppriseResult) -> str:
    if result.status is AppriseResultStatus.TIMEOUT:
        return f"did not answer within {SECONDS} s"
    said = [entry.message for entry in result.logs()]
    code = _first_status(said)
    if code:
        return f"answered HTTP {code}"
    if any("connection error" in text.lower() for text in said):
        return "could not be reached"
    return "did not take the message"


def _first_status(said: Iterable[str]) -> str:
    return next((found[1] for text in said if (found := _STATUS.search(text))), "")


def _keep_addresses_out_of_logs() -> None:
    """apprise logs hosts and users, urllib3 whole paths; both would be secrets in a log file."""
    logging.getLogger("apprise").propagate = False
    logging.getLogger("urllib3").setLevel(logging.ERROR)
