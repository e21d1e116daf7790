"""What the stock keeper tells people: in the Web UI, and by alerts."""

from canonical.alert_contracts import AlertMessage, Severity
from canonical.stock import keeper_contracts as act
from canonical.stock.keeper_state import StockView

_CELL = str.maketrans({"|": "/", "\n": " "})


def refused(offers: tuple[act.RefusedOffer, ...], number: int) -> AlertMessage:
    """Amazon did not take quantities: told once for each."""
    lines = [
        f"- {each.sku} in {each.marketplace} (seller {each.seller}): {each.quantity}. {each.code} {each.message}"
        for each in offers
    ]
    return AlertMessage(
        title=f"Amazon refused {_counted(number, 'stock quantity', 'stock quantities')}",
        body="\n".join(
            [
                "Nothing more is sent for these offers, and what they show may be wrong. See to the listings, then "
                "'o2c inventory push SKU --again'.",
                *lines,
                *_more(number, len(lines)),
            ]
        ),
        severity=Severity.WARNING,
    )


def noted(notes: tuple[str, ...], number: int) -> AlertMessage:
    """Pools of which nothing is offered: told once, until they have been in order again."""
    return AlertMessage(
        title=f"Nothing is offered of {_counted(number, 'stock item')}",
        body="\n".join([*(f"- {note}" for note in notes), *_more(number, len(notes))]),
        severity=Severity.WARNING,
    )


def _more(number: int, told: int) -> list[str]:
    return [f"... and {number - told} more: 'o2c inventory status'."] if number > told else []


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def details(view: StockView) -> str:
    """The keeper as it stands, in Markdown."""
    totals = view.totals
    lines = [_first(view)]
    lines += [
        "",
        f"{totals.offers} offers of {totals.pools} pools: {totals.on_their_way} on their way, {totals.waiting} "
        f"waiting, {totals.refused} refused. {totals.without_item} SKUs have no item in M3.",
        f"{totals.orders} lines of Amazon's orders are reckoned with; M3 is not known to have {totals.not_in_m3} of "
        f"them. {totals.strangers} are of SKUs that nobody knows.",
    ]
    if view.last_sent is not None:
        last = view.last_sent
        lines.append(
            f"Last sent at {last.at:%Y-%m-%d %H:%M:%S} UTC, round {last.round}: {last.patches} patches, "
            f"{last.feeds} feeds with {last.in_feeds} quantities."
        )
    lines += [
        f"- Feed of {each.feed.messages} quantities in {each.feed.marketplace_id}: "
        f"{', '.join(each.feed_ids) or 'waits to be sent'} {each.status}"
        for each in view.feeds
    ]
    lines += [
        f"- Seller {seller} rests until {until:%H:%M} UTC." for seller, until in sorted(view.resting.items())
    ]
    if totals.refusals:
        lines += [
            "",
            "| refused SKU | marketplace | quantity | Amazon's issue |",
            "| --- | --- | --- | --- |",
        ]
        lines += [
            f"| {each.sku.translate(_CELL)} | {each.marketplace} | {each.quantity} "
            f"| {f'{each.code} {each.message}'.translate(_CELL)} |"
            for each in totals.refusals
        ]
    if totals.notes:
        lines += ["", f"Nothing is offered of {_counted(totals.noted, 'pool')}:"]
        lines += [f"- {note}" for note in totals.notes]
    if view.remarks:
        lines += ["", "Remarks:", *(f"- {remark}" for remark in view.remarks[-10:])]
    return "\n".join(lines)


def _first(view: StockView) -> str:
    if view.paused is not None:
        why = f": {view.paused.why}" if view.paused.why else ""
        by = f" by {view.paused.by}" if view.paused.by else ""
        return f"**Paused**{by}{why}. Nothing is sent to Amazon until the signal `resume`."
    if not view.listings:
        return "No listings have been read yet: nothing is known to be sent. `o2c inventory drift --now` reads them."
    looked = f"{view.looked_at:%Y-%m-%d %H:%M:%S} UTC" if view.looked_at else "never"
    return f"Keeps what Amazon shows of M3's stock. Round {view.round}; M3 was last asked at {looked}."
