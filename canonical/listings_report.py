"""Amazon's report of everything a seller lists in one marketplace (GET_MERCHANT_LISTINGS_ALL_DATA), read into listings.

The header may be in the language of the seller's account. No row vanishes: what cannot be read is a listing with a
problem, and a line without a SKU is a remark. The order of rows and columns changes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from canonical.report_text import UnreadableReport
from canonical.sku.gtin import NotAGtin, read_gtin
from canonical.stock.listings import Listing

LISTINGS_REPORT: Final = "GET_MERCHANT_LISTINGS_ALL_DATA"
_UTF8: Final = "utf-8-sig"
_CHARSETS: Final = (_UTF8, "cp1252", "cp932")
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "sku": (
        "seller-sku", "sku", "händler-sku", "sku venditore", "sku-vendeur", "sku del vendedor", "出品者sku",
        "卖家 sku",
    ),
    "title": (
        "item-name", "artikelbezeichnung", "nome dell'articolo", "nom-produit", "título del producto", "商品名",
        "商品名称",
    ),
    "quantity": ("quantity", "menge", "quantità", "quantité", "cantidad", "数量"),
    "channel": (
        "fulfillment-channel", "fulfilment-channel", "versender", "canale di gestione", "canal-traitement",
        "canal de gestión logística", "フルフィルメント・チャンネル", "配送渠道",
    ),
    "asin": ("asin1", "asin 1", "asin"),
    "number": (
        "product-id", "produkt-id", "identificativo del prodotto", "id-produit", "identificador del producto",
        "商品id", "商品编码",
    ),
    "kind": (
        "product-id-type", "produkt-id-typ", "tipo di identificativo del prodotto", "type-id-produit",
        "tipo de identificador de producto", "商品idタイプ", "商品编码类型",
    ),
    "status": ("status", "stato", "état", "estado", "ステータス", "状态"),
}  # fmt: skip
"""Amazon's names of the columns that are read, in lower case: English, German, Italian, French, Spanish, Japanese,
Chinese. All others are left alone."""
_FREE_TEXT: Final = (*_NAMES["title"], "item-description", "item-note")
"""Columns in which a line may end although the row does not."""
_NEEDED: Final = ("sku", "quantity", "channel")
_MINE: Final = "DEFAULT"
_BY_ASIN: Final = frozenset({"1", "ASIN"})
_BY_ISBN: Final = frozenset({"2", "ISBN"})
_BY_EAN: Final = frozenset({"3", "UPC", "4", "EAN", "JAN", "GTIN"})
_ISBN_13: Final = 13


@dataclass(frozen=True)
class ListingsFile:
    """What the report lists, by SKU, and sentences about lines in which no SKU can be read."""

    listings: tuple[Listing, ...]
    remarks: tuple[str, ...]


def read_listings(content: bytes, charset: str = "") -> ListingsFile:
    """The listings of a report's document. `charset` is what came with it; where the bytes are not of it, or none came,
    UTF-8, cp1252 and cp932 are tried, always strictly.

    Raises:
        UnreadableReport: it is no such report: no header, a column lacks, or no encoding fits.
    """
    header, lines = _decoded(content, charset)
    places = {field: _place(header, names) for field, names in _NAMES.items()}
    for field in _NEEDED:
        if places[field] is None:
            raise UnreadableReport(f"The report of listings has no column {_NAMES[field][0]}.")
    found: dict[str, list[Listing]] = {}
    remarks: list[str] = []
    for number, cells in _rows(lines, header):
        if len(cells) != len(header):
            remarks.append(f"Line {number} has {len(cells)} cells, not {len(header)}: nobody knows its SKU.")
            continue
        row = {field: "" if place is None else cells[place].strip() for field, place in places.items()}
        if not row["sku"]:
            remarks.append(f"Line {number} names no SKU.")
            continue
        found.setdefault(row["sku"], []).append(_listing(row))
    return ListingsFile(tuple(_one(found[sku]) for sku in sorted(found)), tuple(remarks))


def _listing(row: Mapping[str, str]) -> Listing:
    channel, status = row["channel"].upper(), row["status"].casefold()
    problems = []
    if not channel:
        problems.append(f"Amazon's report does not say who ships SKU {row['sku']}: it is left alone.")
    if status == "incomplete":
        problems.append(f"Amazon calls SKU {row['sku']} incomplete: it is no product yet.")
    mine = channel == _MINE
    quantity, wrong = _quantity(row["quantity"], row["sku"]) if mine else (None, "")
    asin, ean, note = _numbers(row)
    return Listing(
        sku=row["sku"],
        title=row["title"],
        asin=asin,
        ean=ean,
        channel="MFN" if mine else "FBA",
        quantity=quantity,
        active=status not in ("inactive", "incomplete"),
        product=status != "incomplete",
        problem=" ".join(filter(None, (*problems, wrong))),
        note=note,
    )


def _quantity(text: str, sku: str) -> tuple[int | None, str]:
    """Pieces, and what is wrong with them; a thousands separator or a decimal is not guessed at."""
    if not text:
        return None, ""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        return None, f"Amazon's report has {text[:20]!r} as quantity of SKU {sku}, which is no whole number."
    if text.startswith("-"):
        return None, f"Amazon's report has a quantity below zero for SKU {sku}: {text[:20]}."
    return int(text), ""


def _numbers(row: Mapping[str, str]) -> tuple[str, str, str]:
    """ASIN, EAN and a note; by its kind the product id is the one or the other."""
    kind, number, asin = row["kind"].upper(), row["number"], row["asin"]
    if kind in _BY_ASIN:
        return asin or number, "", ""
    if not number or not (kind in _BY_EAN or (kind in _BY_ISBN and len(number) == _ISBN_13)):
        return asin, "", ""
    try:
        read_gtin(number)
    except NotAGtin as error:
        return asin, number, f"The EAN {number} of SKU {row['sku']} {error}; it is not used to find the item."
    return asin, number, ""


def _one(rows: list[Listing]) -> Listing:
    """The listing that several rows of one SKU are; where they differ, a person has to look. FBA outdoes MFN."""
    different = sorted(
        {row.model_dump_json(): row for row in rows}.values(),
        key=lambda row: (row.channel, not row.active, row.model_dump_json()),
    )
    first = different[0]
    if len(different) == 1:
        return first
    sentence = f"Amazon's report has SKU {first.sku} {len(different)} times, each time otherwise."
    same = {row.quantity for row in different} == {first.quantity}
    problem = " ".join(dict.fromkeys([sentence, *(row.problem for row in different if row.problem)]))
    return first.model_copy(update={"problem": problem, "quantity": first.quantity if same else None})


def _decoded(content: bytes, charset: str) -> tuple[tuple[str, ...], list[str]]:
    """Header and lines, in the first encoding that all bytes are of and in which a column of SKUs is named."""
    header: tuple[str, ...] = ()
    for codec in dict.fromkeys((*((charset,) if charset else ()), *_CHARSETS)):
        try:
            # A document that is said to be UTF-8 may begin with a mark of it.
            text = content.decode(codec).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError):
            continue
        lines = text.split("\n")  # not splitlines: a title may hold what that takes for the end of a line
        named = tuple(_name(cell) for cell in lines[0].rstrip("\r").split("\t"))
        if _place(named, _NAMES["sku"]) is not None:
            return named, lines[1:]
        header = header or named
    if not header:
        raise UnreadableReport("The report of listings is neither UTF-8 nor cp1252 nor cp932.")
    if len(header) == 1:
        raise UnreadableReport("The first line is no header of an Amazon report: it has no tabs.")
    raise UnreadableReport(f"The report of listings has no column {_NAMES['sku'][0]}.")


def _name(cell: str) -> str:
    return cell.strip().strip('"').replace("’", "'").lower()


def _place(header: tuple[str, ...], names: tuple[str, ...]) -> int | None:
    """Where the column is; the name that comes first in `names` where several are there."""
    return next((header.index(name) for name in names if name in header), None)


def _rows(lines: list[str], header: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells. A text with a line break is put together again, where that gives a whole row."""
    width = len(header)
    breaking = {place for place, name in enumerate(header) if name in _FREE_TEXT}
    number, last = 0, len(lines)
    while number < last:
        begin, cells = number + 2, lines[number].rstrip("\r").split("\t")
        number += 1
        if cells == [""]:
            continue
        whole, ahead = cells, number
        while len(whole) - 1 in breaking and ahead < last:
            following = lines[ahead].rstrip("\r").split("\t")
            whole = [*whole[:-1], f"{whole[-1]} {following[0]}", *following[1:]]
            ahead += 1
        if len(cells) < width == len(whole):
            cells, number = whole, ahead
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        yield begin, cells
