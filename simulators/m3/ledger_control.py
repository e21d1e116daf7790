"""/_control/ledger: balances and open items as the controller sees them, and what people do to the ledger."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.m3 import chart
from simulators.m3.deliveries import external_number
from simulators.m3.ledger_batch import UPDATED as GL_UPDATED
from simulators.m3.ledger_batch import UPDATING
from simulators.m3.money import amount_text
from simulators.m3.payments import CONTROLLED
from simulators.m3.payments import UPDATED as AR_UPDATED
from simulators.m3.receivables import receivables
from simulators.m3.records import ZERO
from simulators.m3.views import Json
from simulators.m3.world import World

Answering = Callable[[type[BaseModel], Callable[..., Json]], Callable[[Request], object]]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Close(_Body):
    """POST /_control/ledger/close: accounting days up to this one (YYYYMMDD) are closed; blank opens all."""

    until: str = Field(default="", pattern=r"^(\d{8})?$")


class Identity(_Body):
    """POST /_control/ledger/identity: people enter an account (dimension 1) or another dimension's identity."""

    identity: str
    dimension: int = Field(default=1, ge=1, le=7)


class Updates(_Body):
    """POST /_control/ledger/updates: whether the site's jobs update checked batches; switched on, they catch up."""

    run: bool


class Remove(_Body):
    """POST /_control/ledger/remove: people delete a batch that is not updated (GLS840, ARS040)."""

    key1: str = ""
    pbid: int = 0


class Change(_Body):
    """POST /_control/ledger/change: people book `amount` of a posted voucher from one account to another of its own."""

    vono: int
    amount: Decimal
    from_account: str
    to_account: str


def routes(world: World, answering: Answering) -> list[Route]:
    """The control requests about the ledger."""

    async def show(_: Request) -> Response:
        world.catch_up()
        world.store.commit()
        return JSONResponse(ledger(world))

    def close(body: Close) -> Json:
        chart.close_until(world, body.until)
        return {"closed_until": body.until}

    def identity(body: Identity) -> Json:
        chart.add_identity(world, body.dimension, body.identity)
        return {"identity": body.identity, "dimension": body.dimension}

    def updates(body: Updates) -> Json:
        chart.run_updates(world, body.run)
        if body.run:
            _catch_up(world)
        return {"run": body.run}

    def remove(body: Remove) -> Json:
        return _remove(world, body)

    def change(body: Change) -> Json:
        return _change(world, body)

    posts: list[tuple[str, type[BaseModel], Callable[..., Json]]] = [
        ("close", Close, close), ("identity", Identity, identity), ("updates", Updates, updates),
        ("remove", Remove, remove), ("change", Change, change),
    ]  # fmt: skip
    return [
        Route("/_control/ledger", show),
        *(
            Route(f"/_control/ledger/{name}", answering(body, act), methods=["POST"])
            for name, body, act in posts
        ),
    ]


def _catch_up(world: World) -> None:
    for batch in world.gl_batches:
        if batch.stat == UPDATING:
            world.agenda.later("gl_update", 0.0, 0.0, key1=batch.key1)
    for payment in world.payment_batches:
        if payment.stat == CONTROLLED:
            world.agenda.later("ar_update", 0.0, 0.0, pbid=str(payment.pbid))


def _remove(world: World, body: Remove) -> Json:
    batch, payment = world.gl_batches.get(body.key1), world.payment_batches.get(str(body.pbid))
    if batch is None and payment is None:
        raise ValueError("There is no such batch.")
    if batch is not None:
        if batch.stat in (UPDATING, GL_UPDATED):
            raise ValueError(f"Batch {batch.key1} has status {batch.stat}; it can no longer be deleted.")
        world.gl_batches.drop(batch.key1)
    if payment is not None:
        if payment.stat == AR_UPDATED:
            raise ValueError(f"Batch payment {payment.pbid} is updated; it can no longer be deleted.")
        world.payment_batches.drop(str(payment.pbid))
    return {"removed": body.key1 or body.pbid}


def _change(world: World, body: Change) -> Json:
    voucher = next((each for each in world.vouchers if each.vono == body.vono), None)
    if voucher is None:
        raise ValueError(f"There is no voucher {body.vono}.")
    for account, amount in ((body.from_account, -body.amount), (body.to_account, body.amount)):
        line = next((each for each in voucher.lines if each.ait[0] == account), None)
        if line is None:
            raise ValueError(f"Voucher {body.vono} has no line on account {account}.")
        line.amount += amount
        line.local += amount
    world.vouchers.put(f"{voucher.yea4}/{voucher.vono}", voucher)
    return {"vono": voucher.vono, "amount": amount_text(body.amount)}


def ledger(world: World) -> Json:
    """What stands in the ledgers. Debit positive; amounts as text."""
    return {
        "closed_until": chart.closed_until(world),
        "accounts": _accounts(world),
        "open_items": _open_items(world),
        "gl_batches": [
            {
                "key1": batch.key1, "stat": batch.stat, "lines": len(batch.lines), "error": batch.error,
                "vouchers": batch.vouchers,
            }
            for batch in world.gl_batches
        ],
        "payment_batches": [
            {
                "pbid": batch.pbid, "stat": batch.stat, "lines": len(batch.lines), "charges": len(batch.charges),
                "error": batch.error, "vono": batch.vono, "yea4": batch.yea4,
            }
            for batch in world.payment_batches
        ],
        "vouchers": [
            {
                "yea4": voucher.yea4, "vono": voucher.vono, "feid": voucher.feid, "key1": voucher.key1,
                "ivno": voucher.ivno, "acdt": voucher.lines[0].acdt,
                "lines": [
                    {
                        "ait": [part for part in line.ait if part], "amount": amount_text(line.amount),
                        "local": amount_text(line.local), "cucd": line.cucd, "text": line.text,
                    }
                    for line in voucher.lines
                ],
            }
            for voucher in world.vouchers
        ],
    }  # fmt: skip


def _accounts(world: World) -> list[Json]:
    """The balance of every account, by dimensions and currency, also where it is zero again."""
    sums: dict[tuple[str, ...], tuple[Decimal, Decimal]] = {}
    for voucher in world.vouchers:
        for line in voucher.lines:
            dimensions = "/".join(line.ait[1:]).rstrip("/")
            key = (line.ait[0], dimensions, line.cucd)
            amount, local = sums.get(key, (ZERO, ZERO))
            sums[key] = (amount + line.amount, local + line.local)
    return [
        {
            "account": account, "name": chart.ACCOUNTS.get(account, ""), "dimensions": dimensions, "cucd": cucd,
            "balance": amount_text(amount), "local": amount_text(local),
        }
        for (account, dimensions, cucd), (amount, local) in sorted(sums.items())
    ]  # fmt: skip


def _open_items(world: World) -> list[Json]:
    """Every posted invoice and credit that is not paid to the cent, with its order."""
    return [
        {
            "cuno": item.invoice.cuno, "cino": external_number(item.invoice.ivno), "inyr": item.invoice.yea4,
            "orno": item.invoice.orno, "cuor": world.order(item.invoice.orno).cuor, "cucd": item.invoice.cucd,
            "gross": amount_text(item.invoice.gross), "paid": amount_text(item.paid),
            "open": amount_text(item.left),
        }
        for item in receivables(world)
        if item.left
    ]  # fmt: skip
