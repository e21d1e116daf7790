"""What the pretended seller sells. The Amazon simulator sells these items and the M3 simulator keeps them, so an order
that leaves the one finds its items in the other; except for the planted troubles.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

TROUBLE: dict[str, str] = {
    "TEA-JASMIN-100": "unmapped_sku",
    "POT-COPPER-1": "item_blocked",
    "CHO-LIQ-12": "order_rejected",
    "KET-SMART-17": "credit_stop",
    "COF-KONA-250": "total_differs",
    "GFT-WED-48": "invoice_missing",
    "CUP-GOLD-6": "ledger_mismatch",
    "TEA-FIRST-50": "shipment_not_reportable",
    "POT-SAMO-3L": "carrier_unknown",
}
"""Seller SKU -> the reason for which an order containing it is expected to be held. The items look ordinary
on Amazon; only their M3 side is wrong."""


@dataclass(frozen=True)
class Item:
    """One thing for sale: its names at Amazon (sku, asin, fnsku, title) and in M3 (itno, itds), its price in
    the marketplace's own currency (the same figure everywhere), the stock in each M3 warehouse, its M3 status
    (20 released, 80 blocked) and whether M3 knows its SKU as an alias (MMS025)."""

    sku: str
    asin: str
    fnsku: str
    ean: str
    title: str
    itno: str
    itds: str
    price: Decimal
    stock: int
    item_status: str
    alias: bool

    @property
    def trouble(self) -> str | None:
        """The held reason planted on this item, if any."""
        return TROUBLE.get(self.sku)


def _described(title: str) -> str:
    """M3's item name: the title cut to whole words within 30 positions, as a person types it."""
    plain = title.replace(",", "")
    while len(plain) > 30:
        plain = plain.rsplit(" ", 1)[0]
    return plain


def _item(row: str) -> Item:
    sku, asin, ean, itno, price, title = (part.strip() for part in row.split("|"))
    trouble = TROUBLE.get(sku)
    return Item(
        sku=sku,
        asin=asin,
        fnsku=f"X00{asin[3:]}",
        ean=ean,
        title=title,
        itno=itno,
        itds=_described(title),
        price=Decimal(price),
        stock=0 if trouble == "shipment_not_reportable" else 1_000_000,
        item_status="80" if trouble == "item_blocked" else "20",
        alias=trouble != "unmapped_sku",
    )


_ORDINARY = """\
TEA-GREEN-250  |B0P939XDNA|4000000000778|100000-TEA | 12.90|Sencha Green Tea, Loose Leaf, 250 g
TEA-BLACK-250  |B04JHG8BPB|4000000001089|100017-TEA | 11.50|Assam Black Tea, Loose Leaf, 250 g
TEA-EARL-100   |B0LSVLL9PC|4000000001393|100034-TEA |  8.95|Earl Grey with Bergamot, 100 g
TEA-MINT-50    |B0106QX7QD|4000000001706|100051-TEA |  5.49|Organic Peppermint Tea, 50 Bags
TEA-CHAI-200   |B0H8KW75RE|4000000002017|100068-TEA | 10.25|Masala Chai Blend, 200 g
TEA-ROOI-250   |B0YHY0K4SF|4000000002321|100085-TEA |  9.80|Rooibos Vanilla, 250 g
TEA-WHITE-80   |B0DR94W2TG|4000000002635|100102-TEA | 24.90|White Tea Silver Needle, 80 g
TEA-MATCHA-30  |B0VZN960VH|4000000002949|100119-TEA | 19.99|Ceremonial Matcha, 30 g Tin
TEA-HERB-60    |B0960FKZWA|4000000003250|100136-TEA |  7.99|Herbal Selection, 60 Bags
TEA-OOLONG-100 |B0RGDLWXXB|4000000003564|100153-TEA | 14.40|Oolong Ti Kuan Yin, 100 g
COF-ESP-1000   |B06PRQ6VYC|4000000003878|100170-COF | 18.90|Espresso Beans, Dark Roast, 1 kg
COF-FILT-500   |B0NY3VJTZD|4000000004189|100187-COF |  9.99|Filter Coffee, Medium Roast, 500 g
COF-DECAF-500  |B035G0VR0E|4000000004493|100204-COF | 11.20|Decaffeinated Beans, 500 g
COF-CAPS-100   |B0KFV45P1F|4000000004806|100221-COF | 27.50|Coffee Capsules, Compostable, 100 Pack
POT-GLASS-1L   |B00N68HN2G|4000000005117|100238-POT | 29.95|Glass Teapot with Infuser, 1 Litre
POT-IRON-08    |B0GXKFVL3H|4000000005421|100255-POT | 44.00|Cast Iron Teapot, 0.8 Litre
POT-PORC-12    |B0X4XK5J4A|4000000005735|100272-POT | 34.50|Porcelain Teapot, White, 1.2 Litre
CUP-DBL-2      |B0CD9PHH5B|4000000006046|100289-CUP | 17.95|Double Wall Glass Cups, Set of 2
CUP-STON-4     |B0TMNVTF6C|4000000006350|100306-CUP | 26.80|Stoneware Mugs, Set of 4
CUP-TRAV-450   |B08V0Z4C7D|4000000006664|100323-CUP | 21.99|Insulated Travel Mug, 450 ml
INF-BALL-2     |B0Q3C4GB8E|4000000006978|100340-INF |  6.50|Tea Infuser Ball, Set of 2
INF-BASK-1     |B05BR8S88F|4000000007289|100357-INF |  8.25|Stainless Steel Infuser Basket
FLT-PAPER-100  |B0ML3D469G|4000000007593|100374-FLT |  4.20|Unbleached Tea Filters, 100 Pack
FLT-COF-4-200  |B02TGKG5BH|4000000007906|100391-FLT |  5.10|Coffee Filters Size 4, 200 Pack
KET-GOOS-1L    |B0J2TPS3CA|4000000008217|100408-KET | 59.90|Gooseneck Kettle, 1 Litre
KET-ELEC-17    |B0Z95T31DB|4000000008521|100425-KET | 64.99|Electric Kettle with Thermostat, 1.7 Litre
GRD-HAND-1     |B0FKKZF0FC|4000000008835|100442-GRD | 38.75|Manual Coffee Grinder, Ceramic Burr
GRD-ELEC-1     |B0WSX3RYGD|4000000009146|100459-GRD |119.00|Electric Burr Grinder
SCL-KITCH-3    |B0B1872WHE|4000000009450|100476-SCL | 22.40|Digital Kitchen Scale, 3 kg
TMR-3MIN       |B0S8MDFVJF|4000000009764|100493-TMR |  9.35|Sand Timer, 3, 4 and 5 Minutes
HON-ACAC-500   |B07H0JRSKG|4000000010074|100510-HON |  8.60|Acacia Honey, 500 g
HON-FORE-500   |B0PRCP2QLH|4000000010388|100527-HON |  8.90|Forest Honey, 500 g
SUG-CANE-750   |B04ZQTDPMA|4000000010692|100544-SUG |  4.75|Raw Cane Sugar Cubes, 750 g
SYR-VAN-250    |B0L72YQMNB|4000000011002|100561-SYR |  7.15|Vanilla Syrup, 250 ml
BIS-SHORT-300  |B01GG31KPC|4000000011316|100578-BIS |  6.95|Butter Shortbread, 300 g
BIS-OAT-250    |B0HQT7CJQD|4000000011620|100595-BIS |  5.25|Oat Biscuits, 250 g
CHO-DARK-100   |B0YY5CQGRE|4000000011934|100612-CHO |  3.95|Dark Chocolate 75 %, 100 g
CHO-GIFT-24    |B0D6JJ1DSF|4000000012245|100629-CHO | 23.90|Chocolate Gift Box, 24 Pieces
TIN-ROUND-150  |B0VFXNCCTG|4000000012559|100646-TIN |  9.70|Tea Caddy, Round, 150 g
TIN-SQUARE-500 |B09N8SP9TH|4000000012863|100663-TIN | 13.30|Storage Tin, Square, 500 g
SPO-MEAS-1     |B0RXMY07VA|4000000013174|100680-SPO |  5.85|Measuring Spoon, Brass
WHI-BAMB-1     |B064Z2B6WB|4000000013488|100697-WHI | 12.15|Bamboo Matcha Whisk
BOW-MATCH-1    |B0NDC7N4XC|4000000013792|100714-BOW | 28.00|Matcha Bowl, Handmade
TRA-WOOD-40    |B03MQC02YD|4000000014102|100731-TRA | 36.60|Serving Tray, Oak, 40 cm
CLO-LINEN-2    |B0KW2HB1ZE|4000000014416|100748-CLO | 15.45|Linen Tea Towels, Set of 2
COZ-WOOL-1     |B003FNNZ0F|4000000014720|100765-COZ | 24.25|Tea Cosy, Felted Wool
STR-STEEL-1    |B0GCTSZX1G|4000000015031|100782-STR |  7.60|Tea Strainer with Stand
JUG-MILK-350   |B0XL5X9V2H|4000000015345|100799-JUG | 16.90|Milk Jug, Steel, 350 ml
FRO-HAND-1     |B0CVJ2MT3A|4000000015659|100816-FRO | 14.99|Handheld Milk Frother
CLN-DESC-500   |B0T2W6YR4B|4000000015963|100833-CLN |  6.30|Descaler, Citric Acid, 500 g
CLN-TABS-60    |B0897B9P5C|4000000016274|100850-CLN | 11.80|Cleaning Tablets, 60 Pack
GFT-TEA-12     |B0QKMHMN6D|4000000016588|100867-GFT | 31.50|Tea Tasting Set, 12 Kinds
GFT-COF-6      |B05SZMYL7E|4000000016892|100884-GFT | 29.90|Coffee Tasting Set, 6 Kinds
GFT-XMAS-24    |B0M1BS8J8F|4000000017202|100901-GFT | 18.50|Tea Advent Calendar, 24 Bags
BOT-THER-750   |B028PXLH9G|4000000017516|100918-BOT | 27.95|Vacuum Flask, 750 ml
BOT-GLASS-500  |B0JJ21XFBH|4000000017820|100935-BOT | 18.20|Glass Bottle with Infuser, 500 ml
PRS-FREN-1L    |B0ZRF67CCA|4000000018131|100952-PRS | 32.10|French Press, 1 Litre
DRP-PORC-2     |B0F0SBLBDB|4000000018445|100969-DRP | 19.40|Pour-over Dripper, Porcelain
SRV-GLASS-600  |B0W74GX8DC|4000000018759|100986-SRV | 17.25|Glass Server, 600 ml
BOO-TEA-01     |B0BHJM76FD|4000000019060|101003-BOO | 16.99|The Little Book of Tea, Hardcover
"""

_TROUBLED = """\
TEA-JASMIN-100 |B0TJ4K322A|4000000025573|101360-TEA | 16.75|Jasmine Pearl Green Tea, 100 g
POT-COPPER-1   |B08RHQF13B|4000000025887|101377-POT | 89.00|Copper Teapot, Limited Edition
CHO-LIQ-12     |B0Q0VVRZ4C|4000000026198|101394-CHO | 14.95|Liqueur Chocolates, 12 Pieces
KET-SMART-17   |B0576Z2X5D|4000000026501|101411-KET |149.00|Smart Kettle, 1.7 Litre
COF-KONA-250   |B0MHL4DW6E|4000000026815|101428-COF | 34.90|Kona Coffee, 250 g
GFT-WED-48     |B02QY8QT7F|4000000027126|101445-GFT | 79.00|Wedding Favour Tea Set, 48 Pieces
CUP-GOLD-6     |B0JZ9D2R8G|4000000027430|101462-CUP | 64.50|Gold Rim Cups, Set of 6
TEA-FIRST-50   |B0Z6NKDQ9H|4000000027744|101479-TEA | 22.80|First Flush Darjeeling, 50 g
POT-SAMO-3L    |B0FG1PQNBA|4000000028055|101496-POT |219.00|Samovar, 3 Litres
"""

ORDINARY_ITEMS: tuple[Item, ...] = tuple(_item(row) for row in _ORDINARY.splitlines())
TROUBLE_ITEMS: tuple[Item, ...] = tuple(_item(row) for row in _TROUBLED.splitlines())
ITEMS: tuple[Item, ...] = ORDINARY_ITEMS + TROUBLE_ITEMS

ITEM_BY_SKU: dict[str, Item] = {item.sku: item for item in ITEMS}
ITEM_BY_ITNO: dict[str, Item] = {item.itno: item for item in ITEMS}
