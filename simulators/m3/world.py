"""One company in M3: its tables, its number series, its clock, and what is wrong in it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from simulators import assortment, catalogue
from simulators.m3 import ledger_records, records
from simulators.m3.clock import Agenda, Clock
from simulators.m3.errors import RECORD_MISSING, NotOk
from simulators.m3.registry import job_function
from simulators.m3.reserved import Reserved
from simulators.m3.return_records import CustomerReturn
from simulators.m3.settings import M3Settings
from simulators.m3.store import Store

_FIRST_NUMBERS = {
    "batch": 4711,
    "order": 1_010_000_001,
    "delivery": 30_000_001,
    "pick": 1,
    "package": 1,
    "tracking": 1,
    "invoice": 900_001,
    "voucher": 70_000_001,
    "journal": 5001,
    "message": 1,
    "stock_message": 1,
    "customer": 1,
    "return": 4_000_001,
}

ANYWHERE = "*"


class World:
    """Everything the MI programs read and change."""

    def __init__(self, settings: M3Settings) -> None:
        self.settings = settings
        self.store = Store(settings.data / "m3.sqlite3")
        table = self.store.table
        self.meta = table("meta", records.Meta)
        self.jobs = table("job", records.Job)
        self.tokens = table("token", records.Token)
        self.customers = table("customer", records.Customer)
        self.items = table("item", records.ItemRecord)
        self.aliases = table("alias", records.Alias)
        self.balances = table("balance", records.Balance)
        self.batches = table("batch_order", records.BatchOrder)
        self.orders = table("order", records.Order)
        self.deliveries = table("delivery", records.Delivery)
        self.invoices = table("invoice", records.Invoice)
        self.vouchers = table("voucher", ledger_records.Voucher)
        self.messages = table("message", records.WarehouseMessage)
        self.stock_messages = table("stock_message", records.WarehouseMessage)
        self.gl_batches = table("gl_batch", ledger_records.GlBatch)
        self.payment_batches = table("payment_batch", ledger_records.PaymentBatch)
        self.payments = table("payment", ledger_records.Payment)
        self.healing = table("healing", records.Healing)
        self.returns = table("return", CustomerReturn)
        self.returns_by_yref = self.returns.index(lambda row: row.yref)
        self.returns_by_order = self.returns.index(lambda row: row.orno)
        self.batches_by_cuor = self.batches.index(lambda row: row.cuor)
        self.batches_by_cuno = self.batches.index(lambda row: row.cuno)
        self.orders_by_cuor = self.orders.index(lambda row: row.cuor)
        self.orders_by_cuno = self.orders.index(lambda row: row.cuno)
        self.invoices_by_order = self.invoices.index(lambda row: row.orno)
        self.invoices_by_cuno = self.invoices.index(lambda row: row.cuno)
        self.payments_by_invoice = self.payments.index(lambda row: row.invoice)
        self.aliases_by_name = self.aliases.index(lambda row: row.popn)
        self.reserved = Reserved(self.orders, self._wanted_otherwise)
        self.aliases_by_item = self.aliases.index(lambda row: row.itno)
        self.clock = Clock(self.meta, held=settings.held_clock)
        self.agenda = Agenda(self.jobs, self.clock, settings.seed, settings.pace)
        if not len(self.items):
            self._seed()
            self.store.commit()

    def catch_up(self) -> None:
        """Let M3 and its people do what has become due."""
        self.agenda.run_due(lambda job: job_function(job.kind)(self, job.args))

    def number(self, series: str) -> int:
        """The next number of a series; never given twice, also across restarts."""
        kept = self.meta.get(series)
        value = int(kept.value) + 1 if kept else _FIRST_NUMBERS[series]
        self.meta.put(series, records.Meta(value=str(value)))
        return value

    def order(self, orno: str) -> records.Order:
        """The customer order. NotOk if there is none."""
        order = self.orders.get(orno)
        if order is None:
            raise NotOk("WOR0303", "ORNO")
        return order

    def batch(self, orno: str) -> records.BatchOrder:
        """The temporary order. NotOk if there is none."""
        batch = self.batches.get(orno)
        if batch is None:
            raise NotOk(RECORD_MISSING, "ORNO")
        return batch

    def delivery(self, dlix: int) -> records.Delivery:
        """The delivery. NotOk if there is none."""
        delivery = self.deliveries.get(str(dlix))
        if delivery is None:
            raise NotOk("WDL0203", "DLIX")
        return delivery

    def deliveries_of(self, order: records.Order) -> list[records.Delivery]:
        """The order's deliveries, oldest first."""
        found = (self.deliveries.get(str(dlix)) for dlix in order.deliveries)
        return [delivery for delivery in found if delivery is not None]

    def invoices_of(self, orno: str) -> list[records.Invoice]:
        """The order's invoices, oldest first."""
        found = (self.invoices.get(key) for key in self.invoices_by_order.get(orno, []))
        return [invoice for invoice in found if invoice is not None]

    def balance(self, whlo: str, itno: str) -> records.Balance:
        """Stock of the item in the warehouse. NotOk if the item is not kept there."""
        balance = self.balances.get(f"{whlo}/{itno}")
        if balance is None:
            raise NotOk(RECORD_MISSING, "ITNO")
        return balance

    def change_balance(self, balance: records.Balance, *, onhand: Decimal, allocated: Decimal) -> None:
        """Add to (or take from) what is on hand and what is allocated."""
        balance.onhand += onhand
        balance.allocated += allocated
        balance.changed = self.clock.now()
        self.balances.put(f"{balance.whlo}/{balance.itno}", balance)

    def _wanted_otherwise(self, key: str) -> None:
        balance = self.balances.get(key)
        if balance is not None:
            self.change_balance(balance, onhand=records.ZERO, allocated=records.ZERO)

    def keep_order(self, order: records.Order) -> None:
        """Say that the order has changed."""
        self.orders.put(order.orno, order)

    def keep_batch(self, batch: records.BatchOrder) -> None:
        """Say that the temporary order has changed."""
        self.batches.put(batch.orno, batch)

    def keep_delivery(self, delivery: records.Delivery) -> None:
        """Say that the delivery has changed."""
        self.deliveries.put(str(delivery.dlix), delivery)

    def troubles(self, cuor: str, itnos: Iterable[str]) -> set[str]:
        """What is wrong with this order: planted on it or on its items, and not yet repaired."""
        of_order = self.healing.get(cuor) or records.Healing()
        of_all = self.healing.get(ANYWHERE) or records.Healing()
        items = (assortment.ITEM_BY_ITNO.get(itno) for itno in itnos)
        wrong = {item.trouble for item in items if item is not None and item.trouble is not None}
        return ((wrong - set(of_all.healed)) | set(of_order.planted)) - set(of_order.healed)

    def troubles_of(self, order: records.Order | records.BatchOrder) -> set[str]:
        """What is wrong with this order (see `troubles`)."""
        return self.troubles(order.cuor, (line.itno for line in order.lines))

    def _seed(self) -> None:
        day = self.clock.day()
        for customer in catalogue.CUSTOMERS:
            fields = {
                "CUNO": customer.cuno, "CUNM": customer.name, "STAT": customer.status, "CUA1": "Amazon",
                "CSCD": customer.country, "CUCD": customer.currency, "LNCD": "GB", "CUTP": "0", "RGDT": day,
            }  # fmt: skip
            self.customers.put(customer.cuno, records.Customer(fields=fields))
        for item in assortment.ITEMS:
            record = records.ItemRecord(
                itno=item.itno, itds=item.itds, fuds=item.title, stat=item.item_status, price=item.price
            )
            self.items.put(item.itno, record)
            if item.alias:
                self.add_alias(item.sku, item.itno)
            for warehouse in catalogue.WAREHOUSES:
                balance = records.Balance(whlo=warehouse.whlo, itno=item.itno, onhand=Decimal(item.stock))
                balance.changed = self.clock.now()
                self.balances.put(f"{warehouse.whlo}/{item.itno}", balance)

    def add_alias(
        self,
        popn: str,
        itno: str,
        alwt: int = catalogue.ALIAS_TYPE,
        alwq: str = catalogue.ALIAS_QUALIFIER,
        e0pa: str = "",
        **more: str,
    ) -> bool:
        """Give an item another name; False if that name is taken. `more`: vfdt, lvdt, remk."""
        key = alias_key(alwt, alwq, popn, e0pa, more.get("vfdt", ""))
        if key in self.aliases:
            return False
        alias = records.Alias(
            alwt=alwt, alwq=alwq, popn=popn, e0pa=e0pa, itno=itno, rgdt=self.clock.day(), **more
        )
        self.aliases.put(key, alias)
        return True


def alias_key(alwt: int, alwq: str, popn: str, e0pa: str, vfdt: str = "") -> str:
    """Key of an alias: category, qualifier, name, partner and the day it begins together are unique."""
    return "\x1f".join((str(alwt), alwq, popn, e0pa, *([vfdt] if vfdt else ())))
