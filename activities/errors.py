"""How failures leave an activity: holds for people, delays for Temporal, never a secret or personal data.

Three outcomes exist. A rule or a system refuses for good: `OrderHeld` becomes a non-retryable
ApplicationError of type `HELD` with the `Hold` as first detail. Something is not there yet or a system does
not answer: `RetryLater` becomes a retryable ApplicationError with the delay that suits the cause. Anything
else is an error of our own and stays what it is.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Final

from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from canonical.activity_contracts import HELD
from canonical.held import Hold, OrderHeld

TEXT_LIMIT: Final = 600
"""Characters of an error text that reach Temporal's history."""
HEARTBEAT_EVERY: Final = timedelta(seconds=10)
"""Also the grace before the first one: a short call costs no heartbeat."""


def bounded(text: str, limit: int = TEXT_LIMIT) -> str:
    """The text on one line and no longer than `limit` characters, with a mark where it was cut."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


class RetryLater(Exception):  # noqa: N818 - it says what to do
    """The same call may succeed later; nothing was decided.

    `kind` becomes the ApplicationError's type; `delay` overrides Temporal's backoff for the next attempt
    alone; `expected` marks a wait that is no fault (category BENIGN: no failure metric, debug log only).
    """

    def __init__(
        self, sentence: str, *, kind: str, delay: timedelta | None = None, expected: bool = False
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.kind = kind
        self.delay = delay
        self.expected = expected
        self.used_up = False
        """Waited long enough: Temporal is not to try again, a person is to look."""


def held_failure(hold: Hold) -> ApplicationError:
    """The ApplicationError that holds an order; never retried by Temporal."""
    return ApplicationError(
        bounded(hold.sentence),
        hold,
        type=HELD,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


def retry_failure(error: RetryLater) -> ApplicationError:
    """The ApplicationError that Temporal retries, after `error.delay` where one is known."""
    return ApplicationError(
        bounded(error.sentence),
        type=error.kind,
        next_retry_delay=error.delay,
        non_retryable=error.used_up,
        category=ApplicationErrorCategory.BENIGN if error.expected else ApplicationErrorCategory.UNSPECIFIED,
    )


@contextlib.contextmanager
def failures_as_temporal_knows_them() -> Iterator[None]:
    """Around an activity's body: turn `OrderHeld` and `RetryLater` into ApplicationErrors, leave the rest
    alone."""
    try:
        yield
    except OrderHeld as error:
        raise held_failure(error.hold) from None
    except RetryLater as error:
        raise retry_failure(error) from None
    except ValidationError as error:
        raise _model_failure(error) from None


def _model_failure(error: ValidationError) -> ApplicationError:
    """pydantic quotes the value that did not validate, which may be a buyer's; only its place is told."""
    places = ", ".join(".".join(str(part) for part in each["loc"]) for each in error.errors()[:5])
    sentence = f"{error.title} could not be built: {error.error_count()} fields do not validate ({places})."
    return ApplicationError(bounded(sentence), type="internal_error", non_retryable=True)


@contextlib.asynccontextmanager
async def heartbeating(every: timedelta = HEARTBEAT_EVERY) -> AsyncIterator[None]:
    """Tell Temporal that the activity lives, from `every` after the start on; short activities send nothing.

    Every heartbeat that reaches the server is a Temporal action, so only what is slow pays for it.
    """

    async def beat() -> None:
        while True:
            await asyncio.sleep(every.total_seconds())
            activity.heartbeat()

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.wait((beating,))
