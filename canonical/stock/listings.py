"""What Amazon lists for a seller, each SKU with the M3 item it stands for: kept in the archive, one file a marketplace.

The file is gzipped JSON lines of `Listing`, first a line of `ListingsHead`. Amazon's report
(GET_MERCHANT_LISTINGS_ALL_DATA) is made once a day at most and tells everything at once: what may be pushed, what
Amazon shows (drift), and for which SKU no item is known.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class ListingsHead(_Part):
    """Of which marketplace, and of when."""

    seller_id: str
    marketplace_id: str
    report_id: str
    taken_at: datetime


class Listing(_Part):
    """One SKU in one marketplace."""

    sku: str
    title: str = ""
    asin: str = ""
    ean: str = ""
    """EAN, UPC or ISBN-13 as Amazon writes it, where it lists the product by it; its check digit may be wrong."""
    channel: Literal["MFN", "FBA"]
    """`FBA` for all that is not surely the seller's to ship (fulfillment-channel DEFAULT): it is never touched."""
    quantity: int | None = None
    """MFN pieces shown; None where Amazon tells none."""
    active: bool = True
    product: bool = True
    """False where Amazon calls it incomplete: it is no product yet, and a quantity of it would never be live."""
    itno: str = ""
    """Empty: nobody knows the item."""
    by: Literal["alias", "rule", ""] = ""
    problem: str = ""
    """What a person has to put right, as a sentence: a quantity that cannot be read, an alias that two items have."""
    rivals: tuple[str, ...] = ()
    """Items in M3 that have the SKU as alias, where they are several: then none is taken, and `problem` says so."""
    note: str = ""
    """What else a person should know, as a sentence, such as an EAN with a wrong check digit; it stops nothing."""

    def with_items(self, items: Sequence[str], itno: str, by: Literal["alias", "rule", ""]) -> Self:
        """The same with what M3 says now: the items that have the SKU as alias, and the one that is taken where they
        are not several. What it was mapped to before does not count."""
        problem = self.problem.removesuffix(_rivalry(self.sku, self.rivals)).strip()
        rivals = tuple(items) if len(items) > 1 else ()
        return self.model_copy(
            update={
                "itno": "" if rivals else itno,
                "by": "" if rivals or not itno else by,
                "rivals": rivals,
                "problem": f"{problem} {_rivalry(self.sku, rivals)}".strip(),
            }
        )


def _rivalry(sku: str, rivals: Sequence[str]) -> str:
    if not rivals:
        return ""
    return (
        f"SKU {sku} is an alias of {len(rivals)} items in M3, {', '.join(rivals)}: take it away from all but one "
        "(MMS025)."
    )
