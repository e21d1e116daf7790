"""Files of orders on this machine, as `canonical.order_files` reads them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from canonical.marketplaces import MARKETPLACES
from canonical.order_files import Owner, first_content, read_orders
from canonical.order_reports import Numbered, UnreadableReport
from starters.console import Refused
from worker.settings import SellerSettings


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
                first_content(stream)
        except UnreadableReport as error:
            raise self._unreadable(error) from None
        except OSError as error:
            raise Refused(f"{self.path} cannot be read: {error.strerror}.") from None

    def read(self) -> Iterator[Numbered]:
        """The orders one by one; what cannot be taken is a RefusedRow. Raises Refused for a whole file."""
        owner = Owner(self.seller_id, self.seller.marketplaces, self.marketplace_id)
        try:
            with self.path.open("rb") as stream:
                yield from read_orders(stream, owner)
        except UnreadableReport as error:
            raise self._unreadable(error) from None
        except OSError as error:
            raise Refused(f"{self.path} cannot be read: {error.strerror}.") from None

    def _unreadable(self, error: UnreadableReport) -> Refused:
        return Refused(f"{self.path} cannot be imported: {error}")


def check_marketplace(marketplace_id: str | None, seller_id: str, seller: SellerSettings) -> str:
    """The marketplace for rows that name none: the given one, or the seller's only one. Raises Refused."""
    if marketplace_id is None:
        return seller.marketplaces[0] if len(seller.marketplaces) == 1 else ""
    if marketplace_id not in seller.marketplaces:
        own = ", ".join(f"{one} ({MARKETPLACES[one].name})" for one in seller.marketplaces)
        raise Refused(f"Seller {seller_id} has no marketplace {marketplace_id}; configured: {own}.", 2)
    return marketplace_id
