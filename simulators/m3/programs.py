"""All MI programs this simulator answers. Importing this module registers them."""

from __future__ import annotations

from simulators.m3 import (
    company,
    customers,
    deliveries,
    invoices,
    invoicing,
    items,
    ledger,
    ledger_batch,
    messages,
    order_changes,
    orders,
    orders_batch,
    orders_transfer,
    payments,
    payments_update,
    receivables,
    returns,
    returns_received,
    site_lists,
    staff,
    stock,
    stock_messages,
    warehouse,
)
from simulators.m3.registry import registered

_MODULES = (
    company, customers, deliveries, invoices, invoicing, items, ledger, ledger_batch, messages, order_changes,
    orders, orders_batch, orders_transfer, payments, payments_update, receivables, returns, returns_received,
    site_lists, staff, stock, stock_messages, warehouse,
)  # fmt: skip


def served() -> dict[str, list[str]]:
    """Every MI program answered here, with its transactions."""
    return registered()
