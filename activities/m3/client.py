"""The M3 API client: one MI transaction, or many of one program in bulk, over httpx.

What it decides itself is only what is certain to be safe: a call that M3 refused because a record was locked
was not done and is sent again; so is a single call, or a read, that the gateway throttled (of a throttled
bulk a part may have been done); a read that got no usable answer is sent again; a 401 is answered with a new
token. A write without a usable answer is never repeated here, since M3 may have done it: the caller looks first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import httpx

from activities.m3.auth import Credentials
from activities.m3.errors import M3Locked, M3Throttled, M3Unavailable, MIError, MIErrorKind
from activities.m3.fields import PERSONAL, check_fields
from activities.m3.replies import (
    MIRecord,
    Refusal,
    Reply,
    UnreadableReplyError,
    parse_bulk,
    parse_single,
    request_id,
)
from activities.m3.transport import Transport

BULK_LIMIT: Final = 100
"""Transactions per bulk request; clients in the field send 100 to 150, no limit is published."""
DEFAULT_MAXRECS: Final = 100
"""What M3 cuts a list to, without saying so, when maxrecs is not given or not heeded."""
GATEWAY_TIMEOUT: Final = 70.0
"""Seconds; the gateway gives up on M3 after 60 by default, and its 504 comes sooner than our own timeout."""
_READING: Final = ("Get", "Lst", "List", "Search", "Select")
_PAUSES: Final = (0.3, 1.0)
_LONGEST_WAIT_INSIDE: Final = 2.0
"""Seconds for which a throttled call waits here; what takes longer is Temporal's to wait for."""
"""Seconds before a read without answer, or a call refused for a lock, is sent again."""

Fields = Mapping[str, str]
Call = tuple[str, Fields]
"""Transaction and its fields, within one program."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class BulkResult:
    """One transaction of a bulk request: its records, or why M3 refused it."""

    records: tuple[MIRecord, ...] = ()
    error: MIError | None = None

    def rows(self) -> tuple[MIRecord, ...]:
        """The records; none where M3 says there is nothing. Raises any other `MIError`."""
        if self.error is not None and not self.error.is_missing:
            raise self.error
        return self.records

    def row(self) -> MIRecord | None:
        """The first record, or None."""
        rows = self.rows()
        return rows[0] if rows else None


class TruncatedListError(Exception):
    """M3 cut a list that has to be complete."""

    def __init__(self, program: str, transaction: str, count: int) -> None:
        super().__init__(f"M3 cut the list of {program}.{transaction} after {count} records")


class M3Client:
    """Calls MI transactions of one M3 company.

    `base_url` ends before ``/m3api-rest``; `api` v1 is for grids without the v2 address and knows no bulk,
    so each transaction then goes alone. Raises `MIError` (M3 refused), `M3Unavailable` (no usable answer;
    the work may be done), `M3Locked`, and `FieldError` before anything is sent.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        company: int,
        division: str = "",
        api: Literal["v2", "v1"] = "v2",
        timeout: float = GATEWAY_TIMEOUT,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        version = "/v2" if api == "v2" else ""
        self._execute_url = f"{base_url.rstrip('/')}/m3api-rest{version}/execute"
        self._scope = {"cono": str(company), **({"divi": division} if division else {})}
        self._bulk = api == "v2"
        http = http or httpx.AsyncClient(timeout=httpx.Timeout(timeout, connect=10.0))
        self._transport = Transport(http, credentials)
        self._sleep = sleep

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def execute(
        self,
        program: str,
        transaction: str,
        fields: Fields,
        *,
        maxrecs: int | None = None,
        returncols: Sequence[str] = (),
    ) -> list[MIRecord]:
        """Call one transaction and return its records (none for most writes)."""
        check_fields(program, transaction, fields)
        if self._bulk and f"{program}.{transaction}" in PERSONAL:
            [result] = await self.execute_bulk(program, [(transaction, fields)])
        else:
            result = await self._single(program, transaction, fields, maxrecs, returncols)
        if result.error is not None:
            raise result.error
        return list(result.records)

    async def execute_bulk(
        self, program: str, calls: Sequence[Call], *, maxrecs: int = DEFAULT_MAXRECS
    ) -> list[BulkResult]:
        """Call several transactions of one program, in their order, 100 per request; the results keep that
        order.

        Not atomic: what follows a refused one is done all the same. Raises `M3Unavailable` where M3 stopped
        half way.
        """
        for transaction, fields in calls:
            check_fields(program, transaction, fields)
        if not self._bulk:
            return [await self._single(program, name, fields, maxrecs) for name, fields in calls]
        results: list[BulkResult] = []
        for start in range(0, len(calls), BULK_LIMIT):
            results.extend(await self._chunk(program, calls[start : start + BULK_LIMIT], maxrecs))
        return results

    async def complete_list(
        self, program: str, transaction: str, fields: Fields, *, limit: int = 1000
    ) -> list[MIRecord]:
        """A list that must not miss a record. Raises `TruncatedListError` where M3 may have cut it.

        M3 cuts silently at maxrecs, and some installations do not heed the option and cut at 100. So a list
        of exactly 100 is asked for again with 99: if 99 do not come, the option was not heeded.
        """
        try:
            records = await self.execute(program, transaction, fields, maxrecs=limit)
        except MIError as error:
            if error.is_missing:
                return []
            raise
        cut = len(records) >= limit
        if len(records) == DEFAULT_MAXRECS and not cut:
            again = await self.execute(program, transaction, fields, maxrecs=DEFAULT_MAXRECS - 1)
            cut = len(again) != DEFAULT_MAXRECS - 1
        if cut:
            raise TruncatedListError(program, transaction, len(records))
        return records

    async def _single(
        self,
        program: str,
        transaction: str,
        fields: Fields,
        maxrecs: int | None,
        returncols: Sequence[str] = (),
    ) -> BulkResult:
        params = {**self._scope, **fields}
        if maxrecs is not None:
            params["maxrecs"] = str(maxrecs)
        if returncols:
            params["returncols"] = ",".join(returncols)

        async def send() -> BulkResult:
            url = f"{self._execute_url}/{program}/{transaction}"
            response = await self._transport.send("GET", url, program, transaction, params=params)
            reply = _understood(parse_single, response, program, transaction)
            return _result(program, transaction, reply, request_id(response))

        for pause in (*_PAUSES, None):
            result = await self._repeated_if_safe(send, (transaction,))
            if not _is_locked(result):
                return result
            if pause is not None:
                await self._sleep(pause)
        raise _locked(result)

    async def _chunk(self, program: str, calls: Sequence[Call], maxrecs: int) -> list[BulkResult]:
        results: dict[int, BulkResult] = {}
        waiting = list(range(len(calls)))
        for pause in (*_PAUSES, None):
            answers = await self._post(program, [calls[index] for index in waiting], maxrecs)
            results.update(zip(waiting, answers, strict=True))
            waiting = [index for index in waiting if _is_locked(results[index])]
            if not waiting:
                return [results[index] for index in range(len(calls))]
            if pause is not None:
                await self._sleep(pause)
        raise _locked(results[waiting[0]])

    async def _post(self, program: str, calls: Sequence[Call], maxrecs: int) -> list[BulkResult]:
        names = tuple(name for name, _ in calls)
        label = names[0] if len(set(names)) == 1 else "bulk"
        body: dict[str, object] = {
            "program": program,
            "cono": int(self._scope["cono"]),
            "divi": self._scope.get("divi", ""),
            "maxReturnedRecords": maxrecs,
            "transactions": [{"transaction": name, "record": dict(fields)} for name, fields in calls],
        }

        async def send() -> list[BulkResult]:
            response = await self._transport.send(
                "POST", self._execute_url, program, label, json=body, count=len(calls)
            )
            replies, stopped = _understood(
                lambda content: parse_bulk(content, len(calls)), response, program, label
            )
            if stopped:
                done = sum(reply.processed for reply in replies)
                raise M3Unavailable(f"M3 stopped a bulk call of {program} after {done} of {len(calls)}.")
            seen = request_id(response)
            return [_result(program, name, reply, seen) for name, reply in zip(names, replies, strict=True)]

        return await self._repeated_if_safe(send, names)

    async def _repeated_if_safe(self, send: Callable[[], Awaitable[_T]], names: Sequence[str]) -> _T:
        reading = all(name.startswith(_READING) for name in names)
        for pause in _PAUSES:
            wait = pause
            try:
                return await send()
            except M3Throttled as error:
                wait = error.wait.total_seconds()
                if wait > _LONGEST_WAIT_INSIDE or not (reading or len(names) == 1):
                    raise
            except M3Unavailable as error:
                if not reading or error.delay is not None:
                    raise
            await self._sleep(wait)
        return await send()


def _understood(parse: Callable[[bytes], _T], response: httpx.Response, program: str, transaction: str) -> _T:
    try:
        return parse(response.content)
    except UnreadableReplyError as error:
        seen = request_id(response)
        raise M3Unavailable(
            f"M3 answered {program}.{transaction} with HTTP {response.status_code} and {error}"
            f"{f' (request {seen})' if seen else ''}; whether it did the work is unknown."
        ) from error


def _result(program: str, transaction: str, reply: Reply, seen: str) -> BulkResult:
    if reply.refusal is None:
        return BulkResult(reply.records)
    return BulkResult(error=_mi_error(program, transaction, reply.refusal, seen))


def _mi_error(program: str, transaction: str, refusal: Refusal, seen: str) -> MIError:
    personal = f"{program}.{transaction}" in PERSONAL
    return MIError(
        program,
        transaction,
        refusal.code,
        field=refusal.field,
        message="" if personal else refusal.message,
        request_id=seen,
    )


def _is_locked(result: BulkResult) -> bool:
    return result.error is not None and result.error.kind is MIErrorKind.LOCKED


def _locked(result: BulkResult) -> M3Locked:
    error = result.error
    return M3Locked(f"{error.sentence if error else 'M3 refused a call'}; somebody else works on the record.")
