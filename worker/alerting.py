"""What the alerts need of Temporal: telling their workflow, seeing what is held, and the rules of the configuration."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from temporalio.client import Client, WorkflowExecution
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.alert_contracts import (
    ALERTS,
    AlertRules,
    AlertsState,
    HeldNow,
    ReadHeld,
    ReasonSeen,
    Stage,
    TellAlerts,
)
from canonical.alert_texts import HELD, NAMED, subject
from canonical.alerts import next_digest
from canonical.ids import alerts_workflow_id
from worker.alert_settings import AlertSettings
from worker.settings import Settings
from workflows import search_attributes as sa

MOST_READ: Final = 20_000
"""Held workflows that are counted one by one; beyond, a count is a lower bound and says so."""


class AlertsOnTemporal:
    """The alerts workflow and visibility, as the activities see them."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    async def tell(self, news: TellAlerts) -> None:
        """Pass on what an order says; starts the workflow where it is not there."""
        if news.held is not None:
            await self._signal("held", news.held)
        elif news.report is not None:
            await self._signal("reported", news.report)
        else:
            await self._signal("released", news.released)

    async def configure(self) -> None:
        """Let the workflow go by this worker's configuration; starts it where it is not there."""
        await self._signal("configured", self._rules())

    async def _signal(self, name: str, news: object) -> None:
        rules = self._rules()
        await self._client.start_workflow(
            ALERTS,
            AlertsState(rules=rules, digest_due=rules.next_digest),
            id=alerts_workflow_id(),
            task_queue=ORDERS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=name,
            start_signal_args=[news],
            static_summary="Alerts: tells people what is held",
        )

    def _rules(self) -> AlertRules:
        return rules_of(self._settings, self._client.namespace, datetime.now(UTC))

    async def held_now(self, question: ReadHeld) -> HeldNow:
        """Count what is held by reason; one pass over visibility, a thousand a page."""
        seen: dict[str, list[WorkflowExecution]] = {}
        count = 0
        async for found in self._client.list_workflows(HELD, page_size=1000, limit=MOST_READ):
            count += 1
            seen.setdefault(found.typed_search_attributes.get(sa.HELD_REASON) or "", []).append(found)
        named = set(question.named)
        return HeldNow(
            reasons={reason: _facts(found, named) for reason, found in seen.items()},
            complete=count < MOST_READ,
            next_digest=_next_digest(self._settings.alerts, question.now),
        )


def _facts(held: list[WorkflowExecution], named: set[str]) -> ReasonSeen:
    by_age = sorted(held, key=_since)
    return ReasonSeen(
        total=len(held),
        oldest=_since(by_age[0]),
        first=tuple(subject(one.id) for one in by_age[:NAMED]),
        still=tuple(one.id for one in held if one.id in named),
    )


def _since(found: WorkflowExecution) -> datetime:
    return found.typed_search_attributes.get(sa.HELD_SINCE) or found.start_time


def rules_of(settings: Settings, namespace: str, now: datetime) -> AlertRules:
    """The rules as the configuration has them; names of targets, never their addresses."""
    alerts = settings.alerts
    everyone = tuple(alerts.targets)
    return AlertRules(
        targets=alerts.first or everyone,
        window=timedelta(minutes=alerts.gather_minutes),
        stages=tuple(
            Stage(after=timedelta(minutes=stage.after_minutes), targets=stage.targets or everyone)
            for stage in alerts.stages
        ),
        digest_targets=alerts.digest or alerts.first or everyone,
        next_digest=_next_digest(alerts, now) if everyone else None,
        web_ui=settings.web_ui,
        namespace=namespace,
    )


def _next_digest(alerts: AlertSettings, now: datetime) -> datetime | None:
    if alerts.digest_at == "never":
        return None
    return next_digest(now, alerts.digest_at, ZoneInfo(alerts.time_zone))
