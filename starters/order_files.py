"""Files of orders, told apart by their content: Orders API payloads as JSON lines, or order reports."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from canonical.marketplaces import MARKETPLACES, marketplace_name
from canonical.order import Order
from canonical.order_reports import RefusedRow, UnreadableReport, read_json_lines, read_order_report
from starters.console import Refused
from worker.settings import SellerSettings

_BOM = b"\xef\xbb\xbf"


class _Lines:
    """The lines of a file, remembering how far they were read."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self.number = 0

    def __iter__(self) -> Iterator[bytes]:
        for number, line in enumerate(self._lines, 1):
            self.number = number
            yield line.removeprefix(_BOM) if number == 1 else line


class OrderFile(NamedTuple):
    """Whose orders a file holds, and where rows belong that name no marketplace."""

    path: Path
    seller_id: str
    seller: SellerSettings
    marketplace_id: str = ""

    def check(self) -> None:
        """Raises Refused where the file cannot be opened or holds nothing."""
        try:
            with self.path.open("rb") as stream:
                self._first_content(stream)
        except OSError as error:
            raise Refused(f"{self.path} cannot be read: {error.strerror}.") from None

    def read(self) -> Iterator[Order | RefusedRow]:
        """The orders one by one; what cannot be taken is a RefusedRow. Raises Refused for a whole file."""
        try:
            with self.path.open("rb") as stream:
                yield from self._orders(stream)
        except UnreadableReport as error:
            raise Refused(f"{self.path} cannot be imported: {error}") from None
        except OSError as error:
            raise Refused(f"{self.path} cannot be read: {error.strerror}.") from None

    def _orders(self, stream: BinaryIO) -> Iterator[Order | RefusedRow]:
        start = self._first_content(stream)
        stream.seek(0)
        if start in b"{[":
            lines = _Lines(stream)
            for found in read_json_lines(lines, self.seller_id):
                yield self._own(found, lines.number)
        else:
            for found in read_order_report(stream, self.seller_id, marketplace_id=self.marketplace_id):
                yield self._own(found, 0)

    def _own(self, found: Order | RefusedRow, line: int) -> Order | RefusedRow:
        """An order of a marketplace in which the seller does not sell is somebody else's."""
        if isinstance(found, RefusedRow) or not found.marketplace_id:
            return found
        if found.marketplace_id in self.seller.marketplaces:
            return found
        sentence = (
            f"Amazon order {found.order_id} is of {marketplace_name(found.marketplace_id)}, where seller "
            f"{self.seller_id} does not sell; it may be another seller's."
        )
        return RefusedRow(line_number=line, order_id=found.order_id, sentence=sentence)

    def _first_content(self, stream: BinaryIO) -> bytes:
        """The first byte that is neither blank nor byte order mark. Raises Refused for an empty file."""
        for line in stream:
            content = line.removeprefix(_BOM).strip()
            if content:
                return content[:1]
        raise Refused(f"{self.path} is empty; there is nothing to import.")


def check_marketplace(marketplace_id: str | None, seller_id: str, seller: SellerSettings) -> str:
    """The marketplace for rows that name none: the given one, or the seller's only one. Raises Refused."""
    if marketplace_id is None:
        return seller.marketplaces[0] if len(seller.marketplaces) == 1 else ""
    if marketplace_id not in seller.marketplaces:
        own = ", ".join(f"{one} ({MARKETPLACES[one].name})" for one in seller.marketplaces)
        raise Refused(f"Seller {seller_id} has no marketplace {marketplace_id}; configured: {own}.", 2)
    return marketplace_id
