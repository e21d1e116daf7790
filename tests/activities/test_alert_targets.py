"""Messages to real targets over real HTTP: taken, refused, unreachable; and no address in any word of it."""

import io
import logging
import socket
import traceback
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.alerts.activities import AlertActivities
from activities.alerts.targets import AlertTargets, NotDelivered, UnknownTarget, UnreadableAddress
from canonical.alert_contracts import (
    NOT_DELIVERED,
    UNKNOWN_TARGET,
    AlertMessage,
    HeldNow,
    ReadHeld,
    SendAlert,
    Severity,
    TellAlerts,
)
from tests.support.receiver import TOKEN, Receiver, receiver

MESSAGE = AlertMessage(
    title="Held: M3 did not answer (order 302-0000001-5550000)",
    body="Amazon order 302-0000001-5550000: M3 did not answer.\nRepair: o2c fix 302-0000001-5550000 map_sku sku='A_1'",
    severity=Severity.FAILURE,
)


@pytest.fixture
def here() -> Iterator[Receiver]:
    with receiver() as listening:
        yield listening


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything a log file would hold, at its most talkative."""
    file, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(file), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield file
    root.removeHandler(handler)
    root.setLevel(level)


def targets(**addresses: str) -> AlertTargets:
    return AlertTargets({name: SecretStr(address) for name, address in addresses.items()})


async def test_a_message_arrives_as_it_was_written(here: Receiver) -> None:
    await targets(operations=here.address("operations")).send("operations", MESSAGE)
    [one] = here.received
    assert (one.title, one.body, one.kind) == (MESSAGE.title, MESSAGE.body, "failure")


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_a_refusal_is_told_by_its_status_and_nothing_secret(
    here: Receiver, status: int, written: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    here.answers["operations"] = status
    with pytest.raises(NotDelivered) as refusal:
        await targets(operations=here.address("operations")).send("operations", MESSAGE)
    assert str(refusal.value) == f"The alert target operations answered HTTP {status}."
    printed = "".join(capfd.readouterr())
    for text in (written.getvalue(), printed, "".join(traceback.format_exception(refusal.value))):
        assert TOKEN not in text
        assert "127.0.0.1" not in text


async def test_a_target_nobody_listens_at_could_not_be_reached(written: io.StringIO) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(NotDelivered, match=r"^The alert target lead could not be reached\.$"):
        await targets(lead=f"json://127.0.0.1:{port}/{TOKEN}").send("lead", MESSAGE)
    assert TOKEN not in written.getvalue()


async def test_a_target_that_never_answers_holds_up_no_other(here: Receiver) -> None:
    here.silent.add("lead")
    both = targets(lead=here.address("lead") + "?rto=1", operations=here.address("operations"))
    with pytest.raises(NotDelivered, match=r"^The alert target lead could not be reached\.$"):
        await both.send("lead", MESSAGE)
    await both.send("operations", MESSAGE)
    assert here.titles("operations") == [MESSAGE.title]


@pytest.mark.parametrize(
    "address",
    [f"nonsense://{TOKEN}", TOKEN, "", f"slack://{TOKEN}"],
)
def test_an_address_apprise_cannot_read_is_refused_without_being_quoted(
    address: str, written: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UnreadableAddress) as refusal:
        targets(operations=address)
    assert "alert target operations" in str(refusal.value)
    printed = "".join(capfd.readouterr())
    for text in (
        str(refusal.value),
        written.getvalue(),
        printed,
        "".join(traceback.format_exception(refusal.value)),
    ):
        assert TOKEN not in text


async def test_a_name_that_is_not_configured_is_said(here: Receiver) -> None:
    with pytest.raises(UnknownTarget, match="no alert target lead any more"):
        await targets(operations=here.address("operations")).send("lead", MESSAGE)


class Ear:
    """The alerts workflow's side of the activities."""

    def __init__(self) -> None:
        self.heard: list[TellAlerts] = []

    async def tell(self, news: TellAlerts) -> None:
        self.heard.append(news)

    async def held_now(self, question: ReadHeld) -> HeldNow:
        return HeldNow(next_digest=question.now)


async def test_without_a_target_an_order_wakes_nobody(here: Receiver) -> None:
    ear, news = Ear(), TellAlerts(released="m3_unavailable")
    await ActivityEnvironment().run(AlertActivities(targets(), ear).tell_alerts, news)
    assert ear.heard == []
    activities = AlertActivities(targets(operations=here.address("operations")), ear)
    await ActivityEnvironment().run(activities.tell_alerts, news)
    assert ear.heard == [news]


async def test_failures_leave_the_activity_as_temporal_is_to_treat_them(here: Receiver) -> None:
    here.answers["operations"] = 503
    activities = AlertActivities(targets(operations=here.address("operations")), Ear())
    for target, kind, final in (("operations", NOT_DELIVERED, False), ("lead", UNKNOWN_TARGET, True)):
        with pytest.raises(ApplicationError) as failure:
            await ActivityEnvironment().run(activities.send_alert, SendAlert(target=target, message=MESSAGE))
        assert (failure.value.type, failure.value.non_retryable) == (kind, final)
        assert failure.value.__cause__ is None
