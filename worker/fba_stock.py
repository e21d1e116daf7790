"""Amazon's own stock in a worker process: its activities, and the corrections that workflows still have."""

from collections.abc import Callable, Iterable, Sequence

from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities.archive import Archive
from activities.fba_stock import FbaStockActivities
from activities.m3.context import M3Context
from activities.m3.fba_stock import M3FbaStockActivities
from activities.m3.steps.book_stock_corrections import FbaStockOptions
from canonical.activity_contracts import M3_QUEUE
from canonical.import_contracts import IMPORTS_QUEUE
from canonical.stock.fba_contracts import (
    AMAZON_INVENTORY_QUEUE,
    FBA_CORRECTION,
    FbaCorrectionView,
    Waiting,
)
from worker.fba_stock_settings import FbaStockSettings
from worker.outside import Outside
from worker.settings import Settings

UNDER_WAY = f'WorkflowType="{FBA_CORRECTION}" AND ExecutionStatus="Running"'
"""Visibility query of all corrections that are not at their end."""


def fba_stock_work(
    client: Client, settings: Settings, systems: Outside, archive: Archive, m3: M3Context
) -> dict[str, Sequence[Callable[..., object]]]:
    """The activities by task queue."""
    stock = FbaStockActivities(systems.amazon, archive)
    in_m3 = M3FbaStockActivities(m3, archive, fba_stock_options(settings), FbaCorrections(client).waiting)
    return {
        AMAZON_INVENTORY_QUEUE: (stock.read_fba_stock,),
        IMPORTS_QUEUE: stock.reading,
        M3_QUEUE: in_m3.all,
    }


def fba_stock_options(settings: Settings) -> FbaStockOptions:
    """How Amazon's stock is carried; without the section nothing is booked, and it can be looked at all the same."""
    sellers = {seller_id: seller.marketplaces for seller_id, seller in settings.sellers.items()}
    wanted = settings.fba_stock or FbaStockSettings()
    return wanted.options(sellers, settings.marketplaces, settings.m3.message_type)


class FbaCorrections:
    """The workflows of corrections as the comparison sees them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def waiting(self) -> Iterable[Waiting]:
        """Corrections that workflows have and M3 does not."""
        found: list[Waiting] = []
        async for execution in self._client.list_workflows(UNDER_WAY):
            handle = self._client.get_workflow_handle(execution.id)
            try:
                view: FbaCorrectionView = await handle.query("state", result_type=FbaCorrectionView)
            except WorkflowQueryFailedError:
                continue
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                continue  # it has just ended
            found += view.waiting
        return found
