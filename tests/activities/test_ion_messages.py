"""Sending through ION's messaging service: what its answers mean, and that a message keeps its id."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from activities.m3.auth import IonApi, ServiceAccount
from activities.m3.errors import M3Unavailable, MIError, NotAuthorised
from activities.m3.ion import InactiveConnectionPoint, IonMessages
from simulators.m3.app import build_app
from simulators.m3.auth import ionapi
from simulators.m3.settings import M3Settings
from simulators.serving import serve
from tests.support.configuration import LOGICAL_ID
from tests.support.ion import bod

NAME = "Acknowledge.SalesOrder"


@pytest_asyncio.fixture
async def control(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serve(build_app(M3Settings(data=tmp_path, pace=0))) as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        yield http


def messages(
    control: httpx.AsyncClient, http: httpx.AsyncClient | None = None, **changes: str
) -> IonMessages:
    account = IonApi.model_validate({**ionapi(str(control.base_url).rstrip("/")), **changes})
    return IonMessages(
        account.tenant_url, ServiceAccount(account), logical_id=LOGICAL_ID, http=http or httpx.AsyncClient()
    )


async def received(control: httpx.AsyncClient) -> list[dict[str, str]]:
    found: list[dict[str, str]] = (await control.get("/_control/ion")).json()["received"]
    return found


async def test_a_message_arrives_as_it_was_sent_and_again_under_the_same_id(
    control: httpx.AsyncClient,
) -> None:
    ion, text = messages(control), bod(NAME, references=(("Ä", "1"),))
    for _ in range(2):
        await ion.send(NAME, text, message_id="ack-1")
    first, second = await received(control)
    assert first == second
    assert first == {
        "messageId": "ack-1",
        "documentName": NAME,
        "fromLogicalId": LOGICAL_ID,
        "toLogicalId": "lid://default",
        "document": text,
    }
    await ion.aclose()


async def test_a_message_that_ion_refuses_says_why_it_is_not_sent(control: httpx.AsyncClient) -> None:
    ion = messages(control)
    with pytest.raises(MIError, match="HTTP 400"):
        await ion.send(NAME, "<not", message_id="ack-1")
    await control.post("/_control/ion/connection", json={"active": False})
    with pytest.raises(InactiveConnectionPoint, match=LOGICAL_ID):
        await ion.send(NAME, bod(NAME), message_id="ack-1")
    await control.post("/_control/ion/connection", json={"active": True})
    await ion.send(NAME, bod(NAME), message_id="ack-1")
    assert len(await received(control)) == 1
    with pytest.raises(NotAuthorised):
        await messages(control, sask="wrong").send(NAME, bod(NAME), message_id="ack-1")


@pytest.mark.parametrize("status", [429, 500, 503, None])
async def test_without_an_answer_it_is_unknown_whether_ion_has_it(
    control: httpx.AsyncClient, status: int | None
) -> None:
    token = httpx.Response(200, json={"access_token": "t", "expires_in": 7200})

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("token.oauth2"):
            return token
        if status is None:
            raise httpx.ReadTimeout("no answer")
        return httpx.Response(status, headers={"retry-after": "7"})

    ion = messages(control, httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    with pytest.raises(M3Unavailable) as unknown:
        await ion.send(NAME, bod(NAME), message_id="ack-1")
    assert (unknown.value.delay is None) == (status is None)


async def test_a_token_that_has_ended_is_renewed(control: httpx.AsyncClient) -> None:
    ion = messages(control)
    await ion.send(NAME, bod(NAME), message_id="ack-1")
    await control.post("/_control/advance", json={"seconds": 8000})
    await ion.send(NAME, bod(NAME), message_id="ack-2")
    assert [each["messageId"] for each in await received(control)] == ["ack-1", "ack-2"]
