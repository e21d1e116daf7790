"""The listener as a service, and the looks at its queues: what the commands run."""

import asyncio
import signal

import structlog

from starters.console import Refused, hint
from starters.listening.dead_letters import replay, show
from starters.listening.desk import Desk
from starters.listening.listener import Listener
from starters.listening.sqs import QueueTrouble, open_queues
from starters.listening.stock_news import StockNews
from starters.listening.tally import DeadLetter, Listened
from worker.archiving import open_archive
from worker.connection import connect
from worker.dead_letters import DeadLetterAlarm
from worker.notification_settings import NotificationSettings
from worker.settings import Settings
from worker.stock_news import StockOnTemporal
from worker.telemetry import configure_logging

_log = structlog.get_logger(__name__)


async def serve(settings: Settings, *, until_empty: bool) -> Listened:
    """Listen until SIGTERM or SIGINT, or until the queue is empty; raises Refused where that cannot be."""
    if not until_empty:
        configure_logging(settings.worker)
    archive = open_archive(settings.archive)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    try:
        async with open_queues(settings.notifications) as (queue, dead):
            await queue.facts()
            await dead.facts()
            client = await connect(settings)
            desk = Desk(
                client,
                tuple(settings.sellers),
                archive=archive,
                dead=dead,
                alarm=DeadLetterAlarm(client, settings).raise_for,
                returns=settings.returns,
                stock=StockNews(StockOnTemporal(client)) if settings.stock is not None else None,
            )
            listener = Listener(queue, desk, settings.notifications, settings.worker.graceful_seconds)
            _log.info("listener_started", queue=queue.url)
            done = await listener.run(stop, until_empty=until_empty)
    except QueueTrouble as trouble:
        raise Refused(str(trouble), 2) from None
    _log.info("listener_stopped", **done.model_dump(mode="json"))
    return done


async def dead_letters(settings: NotificationSettings, limit: int, *, again: bool) -> list[DeadLetter]:
    """The dead letters; with `again` sent through the queue once more."""
    try:
        async with open_queues(settings) as (queue, dead):
            return await (replay(dead, queue, limit) if again else show(dead, limit))
    except QueueTrouble as trouble:
        raise Refused(str(trouble), 2) from None


async def queue_arn(settings: NotificationSettings) -> str:
    """The queue's ARN: configured, or asked of SQS, which also tells whether Amazon may send."""
    if settings.queue_arn is not None:
        return settings.queue_arn
    try:
        async with open_queues(settings) as (queue, _):
            facts = await queue.facts()
    except QueueTrouble as trouble:
        raise Refused(f"{trouble} Or name the queue's ARN in notifications.queue_arn.", 2) from None
    if not facts.lets_amazon_send:
        hint(
            f"The policy of {queue.url} does not name Amazon's account 437568002678: it needs SQS:SendMessage and "
            "SQS:GetQueueAttributes."
        )
    return facts.arn
