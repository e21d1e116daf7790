"""`o2c fix`: repair a held order."""

from typing import Annotated

import typer
from temporalio.client import Client

from canonical.held import FixName
from starters.console import say, say_json
from starters.lookup import check_order_id, find_order
from starters.options import AsJson, Config, Seller
from starters.repairs import read_action, read_argument, send_fix
from starters.session import run_connected, sellers_of, settings_of


def fix(
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID", help="Amazon order id (3-7-7).")],
    action: Annotated[
        str,
        typer.Argument(
            metavar="ACTION",
            help=f"One of {', '.join(FixName)}.",
        ),
    ],
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE... | JSON]",
            help="What the repair needs: sku=BLUE-MUG-2 itno=10023, address.city=Bonn, "
            "'address.lines=Street 1|Rear building', or one JSON object.",
        ),
    ] = None,
    *,
    by: Annotated[str, typer.Option("--by", help="Who repairs; kept on the order.")] = "",
    why: Annotated[str, typer.Option("--why", help="Why; kept on the order.")] = "",
    seller: Seller = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Repair a held order. Prints the order's answer; exit 1 when the repair was refused."""
    checked = check_order_id(order_id)
    name = read_action(action)
    repair = read_argument(name, values or [], by=by, why=why)

    settings = settings_of(config)
    sellers = sellers_of(settings, seller)

    async def work(client: Client) -> str:
        return await send_fix(client, await find_order(client, sellers, checked), name, repair)

    answer = run_connected(settings, work)
    if as_json:
        say_json({"order_id": checked, "fix": name.value, "accepted": True, "sentence": answer})
    else:
        say(answer)
