"""One document of M3, as far as its messages (BODs) are worth a look: each is followed once, newest first.

A message is a hint. The activity asks M3 what is so and tells the orders; what this workflow adds is that
messages that come again or late are dropped, and that a burst of them costs one look. It ends when it has
nothing left to do; the memory is in its result, where the receiver of the next message finds it.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, is_cancelled_exception

from canonical.m3_document_contracts import (
    ACKNOWLEDGE_BOD,
    DOCUMENT_CHANGED,
    FOLLOW_M3_DOCUMENT,
    M3_DOCUMENT,
    AcknowledgeBod,
    DocumentNews,
    FollowedM3Document,
    FollowM3Document,
    M3DocumentInput,
    M3DocumentResult,
    Verdict,
)
from workflows.policies import HEARTBEAT, M3_CALL, M3_WAIT, CallPolicy


@workflow.defn(name=M3_DOCUMENT)
class M3Document:
    """See the module."""

    @workflow.init
    def __init__(self, start: M3DocumentInput) -> None:
        self._memory = start.memory
        self._pending = [start.news]
        self._followed = 0
        self._repeated = 0
        self._told: list[str] = []
        self._corrected: list[str] = []
        self._sentence = ""

    @workflow.run
    async def run(self, start: M3DocumentInput) -> M3DocumentResult:
        """Follow what came until nothing is left."""
        while self._pending:
            for news in self._worth_following():
                await self._follow(news)
        workflow.set_current_details(self._sentence)
        return M3DocumentResult(
            memory=self._memory,
            followed=self._followed,
            repeated=self._repeated,
            told=tuple(dict.fromkeys(self._told)),
            corrected=tuple(dict.fromkeys(self._corrected)),
            sentence=self._sentence,
        )

    @workflow.signal(
        name=DOCUMENT_CHANGED, description="Sent by the receiver of ION's messages, not by people."
    )
    def document_changed(self, *arguments: object) -> None:
        try:
            self._pending.append(DocumentNews.model_validate(arguments[0] if arguments else None))
        except ValidationError:
            workflow.logger.warning("a message about a document was not readable and ignored")

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Whatever else is sent is harmless."""

    def _worth_following(self) -> list[DocumentNews]:
        """The newest of what came, and what asks for an answer of its own; the rest is remembered."""
        came = sorted(
            self._pending, key=lambda news: -1 if news.variation is None else news.variation, reverse=True
        )
        self._pending = []
        wanted: list[DocumentNews] = []
        for news in came:
            verdict = self._memory.verdict(news)
            if verdict is not Verdict.CONFLICT:
                self._memory = self._memory.with_news(news)
            again = bool(wanted) and news.acknowledgement is None and wanted[0].orders == news.orders
            if verdict is Verdict.NEW and not again:
                wanted.append(news)
            else:
                self._repeated += 1
        return wanted

    async def _follow(self, news: DocumentNews) -> None:
        """Ask M3, or answer. What cannot be done is left to the sweep, which looks at M3 without any hint."""
        self._followed += 1
        try:
            if news.acknowledgement is not None:
                request = AcknowledgeBod(acknowledgement=news.acknowledgement)
                await _call(ACKNOWLEDGE_BOD, request, M3_WAIT, f"Answer {news.name}")
                self._sentence = f"{news.name} was answered with a rejection."
            elif news.hint is not None:
                await self._ask_m3(news)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.error(
                "document not followed", extra={"document": news.name, "id": news.document_id}
            )
            self._sentence = (
                f"{news.name} {news.document_id} could not be followed; the sweep will find what it told."
            )

    async def _ask_m3(self, news: DocumentNews) -> None:
        if news.hint is None:
            return
        request = FollowM3Document(
            name=news.name, document_id=news.document_id, hint=news.hint, orders=news.orders
        )
        summary = f"{news.name} {news.document_id}: {len(news.orders)} order{'s' * (len(news.orders) > 1)}"
        done = FollowedM3Document.model_validate(
            await _call(FOLLOW_M3_DOCUMENT, request, M3_CALL, summary, FollowedM3Document)
        )
        self._told.extend(done.told)
        told = ", ".join(done.told) or "no order"
        self._sentence = f"{news.name} {news.document_id} was looked up in M3; told: {told}."
        if done.corrected:
            self._corrected.extend(done.corrected)
            self._sentence += f" Packages are told to Amazon again: {', '.join(done.corrected)}."


async def _call(
    name: str, request: BaseModel, policy: CallPolicy, summary: str, result: type[BaseModel] | None = None
) -> object:
    answer: object = await workflow.execute_activity(
        name,
        request,
        result_type=result,
        task_queue=policy.queue,
        start_to_close_timeout=policy.timeout,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=policy.retry,
        summary=summary,
    )
    return answer
