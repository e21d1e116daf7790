"""The page for people: which orders there are and how far Amazon has got with them."""

from __future__ import annotations

from collections import Counter
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from simulators.amazon.clock import iso
from simulators.amazon.record import OrderRecord, fulfilled, unfulfilled
from simulators.amazon.world import World

PAGE_SIZE = 100
STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 74rem; padding: 1.5rem; }
h1 { font-size: 1.3rem; margin: 0 0 .25rem } nav a { margin-right: .8rem } a { color: inherit }
p, nav { margin: .4rem 0 1rem } .wide { overflow-x: auto }
table { border-collapse: collapse; width: 100% } th { text-align: left; font-weight: 600 }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .7rem .35rem 0; vertical-align: top }
td.n, td.id { white-space: nowrap } td.n { text-align: right; font-variant-numeric: tabular-nums }
small { opacity: .7 } .planted { font-weight: 600 }
"""


def routes(world: World) -> list[Route]:
    """``GET /``."""

    async def front(request: Request) -> Response:
        now_ms = world.settle()
        status = request.query_params.get("status")
        number = request.query_params.get("page", "1")
        return HTMLResponse(render(world, now_ms, status, int(number) if number.isdecimal() else 1))

    return [Route("/", front, methods=["GET"])]


def render(world: World, now_ms: int, status: str | None, page: int) -> str:
    """The page as HTML."""
    records = sorted(world.index.by_id.values(), key=lambda r: (r.updated_ms, r.order_id), reverse=True)
    counts = Counter(record.status for record in records)
    chosen = [record for record in records if status is None or record.status == status]
    first = (max(page, 1) - 1) * PAGE_SIZE
    rows = "".join(_row(record) for record in chosen[first : first + PAGE_SIZE])
    if not rows:
        rows = '<tr><td colspan="8">No orders yet.</td></tr>'
    filters = [_link("/", f"all {len(records)}", current=status is None)]
    filters += [
        _link(f"/?status={name}", f"{name.lower().replace('_', ' ')} {count}", current=name == status)
        for name, count in sorted(counts.items())
    ]
    suffix = f"&amp;status={escape(status)}" if status else ""
    turning = []
    if first:
        turning.append(f'<a href="/?page={page - 1}{suffix}">newer</a>')
    if first + PAGE_SIZE < len(chosen):
        turning.append(f'<a href="/?page={max(page, 1) + 1}{suffix}">older</a>')
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Amazon simulator</title><style>{STYLE}</style></head><body>
<h1>Amazon simulator</h1>
<p>A pretended Amazon for the service to talk to. Its clock says {escape(iso(now_ms))}.
<a href="/_control/state">State</a> · <a href="/_control/log">requests</a> ·
<a href="/_control/planted">planted trouble</a> · <a href="/_control/faults">faults</a> ·
<a href="/_control/reports">reports</a></p>
<nav>{"".join(filters)}</nav>
<div class="wide"><table><thead><tr><th>Order</th><th>Marketplace</th><th>Shipped by</th><th>Status</th>
<th>Units</th><th>Total</th><th>Packages</th><th>Updated</th></tr></thead><tbody>{rows}</tbody></table></div>
<nav>{"".join(turning)}</nav></body></html>"""


def _link(target: str, text: str, *, current: bool) -> str:
    mark = ' aria-current="page"' if current else ""
    shown = f"<b>{escape(text)}</b>" if current else escape(text)
    return f'<a href="{escape(target)}"{mark}>{shown}</a>'


def _row(record: OrderRecord) -> str:
    body = record.body
    shipped = sum(fulfilled(item) for item in record.items)
    left = sum(unfulfilled(item) for item in record.items)
    total = body.get("proceeds", {}).get("grandTotal") if record.priced else None
    price = f"{total['amount']} {total['currencyCode']}" if total else "–"
    packages = "<br>".join(
        escape(f"{p['packageReferenceId']}: {p.get('carrier', '')} {p.get('trackingNumber', '')}")
        for p in body.get("packages", [])
    )
    planted = (
        f'<br><small class="planted">planted: {escape(record.planted.replace("_", " "))}</small>'
        if record.planted
        else ""
    )
    market = body["salesChannel"].get("marketplaceName", body["salesChannel"].get("marketplaceId", ""))
    order_id = escape(record.order_id)
    return (
        f'<tr><td class="id"><a href="/_control/orders/{order_id}">{order_id}</a>{planted}</td>'
        f"<td>{escape(str(market))}</td><td>{'Amazon' if record.by_amazon else 'seller'}</td>"
        f"<td>{escape(record.status.lower().replace('_', ' '))}</td>"
        f'<td class="n">{shipped} / {shipped + left}</td><td class="n">{escape(price)}</td>'
        f"<td>{packages}</td><td>{escape(str(body['lastUpdatedTime']))}</td></tr>"
    )
