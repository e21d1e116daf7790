"""`o2c subscribe` and `o2c listen` as processes, between the simulated Amazon, a real SQS and a real server."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from canonical.alert_contracts import AlertsView
from canonical.ids import alerts_workflow_id
from starters.listening.tally import Outcome
from tests.end_to_end.site import Done
from tests.support.notifications import SELLER, Post, envelope, fba_shipment, order_change
from tests.support.orders import ORDINARY, new_order_id, order
from tests.support.processes import python_process
from tests.support.sqs import aws_environment, sqs_server
from tests.support.world import World, eventually
from worker import subscribing
from worker.alert_settings import AlertSettings
from worker.dead_letters import DeadLetterAlarm
from worker.stock_settings import StockSettings
from worker.subscribing import Subscribed

Command = Callable[..., Awaitable[Done]]
RUN = "from starters.cli import main; main()"


@pytest_asyncio.fixture
async def post(world: World, sqs: str) -> Post:
    return await Post.open(sqs, world, visibility_seconds=3)


@pytest.fixture
def config(post: Post, tmp_path: Path) -> Path:
    return post.configuration(tmp_path)


@pytest.fixture
def o2c(config: Path) -> Command:
    async def run(*words: str) -> Done:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUN, *words, "--config", str(config),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), 90)
        assert b"Traceback" not in err, err.decode()
        return Done(process.returncode or 0, out.decode(), err.decode())

    return run


@pytest_asyncio.fixture
async def notifying(world: World, sqs: str) -> AsyncIterator[None]:
    """The simulated Amazon sends, each message twice."""
    answer = await world.amazon.post(
        "/_control/notifications", json={"endpoint": sqs, "duplicates": 1.0, "loss": 0, "delay": 0}
    )
    assert answer.status_code == 200, answer.text
    yield
    await world.amazon.post("/_control/notifications", json={"endpoint": "", "duplicates": 0})


async def test_subscribed_once_or_twice_amazon_notifies_and_orders_go_their_way(
    world: World, post: Post, o2c: Command, config: Path, tmp_path: Path, notifying: None
) -> None:
    settings, arn = post.settings, post.queue.arn
    nothing = await o2c("subscribe", "--seller", SELLER, "--show")
    assert (nothing.status, "7 subscriptions: 7 missing." in nothing.out) == (1, True)
    first = await o2c("subscribe", "--seller", SELLER, "--json")
    assert (first.status, {one["state"] for one in first.json}) == (0, {"created"})
    for again in (
        subscribing.subscribe(settings, (SELLER,), arn),
        subscribing.show(settings, (SELLER,), arn),
    ):
        present = await again
        assert {one.state for one in present} == {Subscribed.PRESENT}
        assert [one.subscription_id for one in present] == [one["subscription_id"] for one in first.json]
    log = tmp_path / "listener.log"
    async with python_process(
        log, "listener_started", "-c", RUN, "listen", "--config", str(config)
    ) as listener:
        order_id = await world.place(order(ORDINARY))
        handle = world.handle(order_id)
        await eventually(lambda: exists(world, order_id), bool)
        await world.until(handle, lambda view: view.step == "awaiting_shipment")
        await world.event(order_id, "ship", actor="AMAZON")
        assert (await world.result(handle)).outcome == "booked"
        listener.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(listener.wait(), 20) == 0
    assert "Traceback" not in log.read_text()
    assert "messages_not" not in log.read_text()
    ended = await subscribing.remove(settings, (SELLER,), arn)
    assert {one.state for one in ended} == {Subscribed.REMOVED}


async def exists(world: World, order_id: str) -> bool:
    found = world.client.list_workflows(f'WorkflowId="order-{SELLER}-{order_id}"')
    return [one async for one in found] != []


async def test_a_subscription_that_goes_elsewhere_is_taken_over_only_when_asked(
    world: World, sqs: str, post: Post
) -> None:
    other = (await Post.open(sqs, world)).with_options(types=("ORDER_CHANGE",), destination="another")
    await subscribing.subscribe(other.settings, (SELLER,), other.queue.arn)

    async def states(*, move: bool) -> dict[str, Subscribed]:
        found = await subscribing.subscribe(post.settings, (SELLER,), post.queue.arn, move=move)
        return {one.type: one.state for one in found}

    assert (await states(move=False))["ORDER_CHANGE"] is Subscribed.ELSEWHERE
    assert (await states(move=True))["ORDER_CHANGE"] is Subscribed.MOVED
    assert set((await states(move=False)).values()) == {Subscribed.PRESENT}
    await subscribing.remove(post.settings, (SELLER,), post.queue.arn)


async def test_a_listener_that_is_killed_loses_nothing(world: World, post: Post, tmp_path: Path) -> None:
    """Shipments' notifications wait in the listener's hands for those that tell more; there it is killed."""
    patient = post.with_options(gather_seconds=60)
    file = patient.configuration(tmp_path)
    orders = [new_order_id() for _ in range(12)]
    await post.send(*(fba_shipment(one) for one in orders))
    log = tmp_path / "listener.log"
    async with python_process(
        log, "listener_started", "-c", RUN, "listen", "--config", str(file)
    ) as listener:
        await eventually(post.counts, lambda counts: counts == (0, 12))
        listener.kill()
        await listener.wait()
    done = await post.listen()
    assert done.outcomes == {"told": 12}
    for one in orders:
        await world.handle(one).describe()


async def test_a_queue_that_is_slow_to_delete_is_asked_for_less(world: World, tmp_path: Path) -> None:
    """What is done stays hidden and in hand until it is deleted: otherwise it comes back faster than it goes."""
    with aws_environment():
        async with sqs_server(tmp_path, "--delete-seconds", "0.5") as slow:
            post = await Post.open(slow, world, visibility_seconds=2, in_flight=60)
            await post.send(*(envelope_of_stock() for _ in range(300)))
            done = await post.listen()
    assert done.outcomes[Outcome.LATER] == 300
    assert done.messages < 360, "some may come again where the machine stalls, not one in five"


def envelope_of_stock() -> str:
    return json.dumps(envelope("FBA_INVENTORY_AVAILABILITY_CHANGES", {"SellerId": SELLER}))


async def test_dead_letters_are_shown_and_replayed(post: Post, o2c: Command) -> None:
    unreadable = json.loads(order_change(order(ORDINARY)))
    del unreadable["Payload"]["OrderChangeNotification"]["SellerId"]
    await post.send("no json", json.dumps(unreadable))
    listened = await o2c("listen", "--until-empty", "--json")
    assert (listened.status, listened.json["outcomes"]) == (1, {"dead": 2})
    shown, again = await o2c("listen", "--dead-letters", "--json"), await o2c("listen", "--dead-letters")
    reasons = {one["type"]: one["reason"] for one in shown.json["messages"]}
    assert (shown.status, again.status) == (0, 0)
    assert reasons["ORDER_CHANGE"] == "The ORDER_CHANGE cannot be read: field sellerid is missing."
    assert reasons[""] == "The message is no JSON."
    assert "2 dead letters found." in again.out
    assert "50667" not in shown.out + again.out, "The buyer's postal code is nobody's business."
    replayed = await o2c("listen", "--dead-letters", "--replay", "--json")
    assert (replayed.status, len(replayed.json["messages"])) == (0, 2)
    assert await post.counts() == (2, 0)
    assert (await o2c("listen", "--dead-letters", "--json")).json["messages"] == []


async def test_one_alert_for_many_dead_letters(world: World) -> None:
    settings = world.settings.model_copy(update={"alerts": AlertSettings(targets={"operations": "NOT_SET"})})
    alarm = DeadLetterAlarm(world.client, settings)
    for _ in range(20):
        await alarm.raise_for("The message is no JSON.")
    alerts = world.client.get_workflow_handle(alerts_workflow_id())
    try:
        known = await eventually(
            lambda: alerts.query("known", result_type=AlertsView),
            lambda view: bool(view.lost or view.undelivered),
        )
        [told] = [*known.lost, *known.undelivered]
        assert told.message.title == "A notification from Amazon cannot be read"
        assert "The message is no JSON." in told.message.body
        assert "o2c listen --dead-letters --replay" in told.message.body
    finally:
        await alerts.terminate()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "No queue is configured"),
        ({"queue_url": "/123456789012/nobody-made-it"}, "There is no such queue"),
        ({"endpoint": "http://127.0.0.1:1"}, "SQS does not answer"),
    ],
)
async def test_what_makes_listening_impossible_is_said_in_a_sentence(
    post: Post, o2c: Command, config: Path, change: dict[str, str], said: str
) -> None:
    text = config.read_text()
    before = text.partition("[notifications]")
    if not change:
        config.write_text(before[0])
    for name, value in change.items():
        url = value if value.startswith("http") else f"{post.endpoint}{value}"
        lines = [f'{name} = "{url}"' if line.startswith(f"{name} =") else line for line in text.splitlines()]
        config.write_text("\n".join(lines))
    done = await o2c("listen", "--until-empty")
    assert done.status == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


async def test_quantities_are_asked_for_only_where_stock_is_configured(
    world: World, sqs: str, post: Post
) -> None:
    kind, arn = "LISTINGS_ITEM_MFN_QUANTITY_CHANGE", post.queue.arn
    without = post.settings
    with_stock = without.model_copy(update={"stock": StockSettings()})
    assert kind not in {one.type for one in await subscribing.subscribe(without, (SELLER,), arn)}
    states = {one.type: one.state for one in await subscribing.subscribe(with_stock, (SELLER,), arn)}
    assert states.pop(kind) is Subscribed.CREATED
    assert set(states.values()) == {Subscribed.PRESENT}
    # Stock is given up: what was asked for is ended all the same.
    ended = await subscribing.remove(without, (SELLER,), arn)
    assert {one.type: one.state for one in ended}[kind] is Subscribed.REMOVED
