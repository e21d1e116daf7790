"""What can go wrong between this service and Amazon, sorted by what has to happen next."""

from datetime import timedelta
from enum import StrEnum
from typing import Final


class Failure(StrEnum):
    """The five outcomes that are no success."""

    QUOTA = "quota"
    """429: try again when the next call has been refilled."""
    UNAVAILABLE = "unavailable"
    """No answer, a 5xx, or an answer nobody can read: try again."""
    NOT_AUTHORISED = "not_authorised"
    """401 or 403 with a fresh token, or Login with Amazon refuses: a person has to act."""
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    """400 and its like: Amazon understood and says no."""


_TEXT_LIMIT: Final = 300


class AmazonError(Exception):
    """One call that Amazon did not do, or of which nobody knows whether it was done.

    operation: Amazon's operation name, such as getOrder. status: HTTP status, 0 where no answer arrived.
    code, message: of the answer's `errors[0]`, cut to 300 characters. request_id: x-amzn-RequestId, which
    Amazon's support asks for; empty where the answer had none. retry_after: when the quota allows the next
    call.
    """

    def __init__(
        self,
        failure: Failure,
        operation: str,
        *,
        status: int = 0,
        code: str = "",
        message: str = "",
        request_id: str = "",
        retry_after: timedelta | None = None,
    ) -> None:
        self.failure = failure
        self.operation = operation
        self.status = status
        self.code = code
        self.message = " ".join(message.split())[:_TEXT_LIMIT]
        self.request_id = request_id
        self.retry_after = retry_after
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """Operation, status, code, Amazon's words and request id in one sentence."""
        said = f"answered {self.status}" if self.status else "did not answer"
        code = f" {self.code}" if self.code else ""
        words = f": {self.message.rstrip('.')}" if self.message else ""
        request = f" (request id {self.request_id})" if self.request_id else ""
        return f"Amazon {said}{code} to {self.operation}{words}{request}."
