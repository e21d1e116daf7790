"""Which M3 customer (CUNO) an order is booked on, by the marketplace's customer policy."""

import hashlib
import unicodedata
import zlib
from typing import Final, NamedTuple

from canonical.order import Address, Channel, Order
from canonical.profile import CustomerPolicy, CustomerPolicyKind

CUNO_LENGTH: Final = 10
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class CustomerChoice(NamedTuple):
    """The customer an order belongs to."""

    cuno: str
    per_buyer: bool
    """True: derived for this buyer, created from the template (CRS610MI.Add) where M3 lacks it."""


def choose_customer(order: Order, policy: CustomerPolicy, address: Address | None = None) -> CustomerChoice:
    """The customer of an order. `address` is the corrected address where a person sent one.

    generic: the first number. sharded: one of the numbers, by the order id, so that a retry finds the same
    one. per_buyer: a number derived from seller, name and address; FBA orders, whose buyer Amazon does not
    tell, and orders without name or address take the first number.
    """
    if policy.kind is CustomerPolicyKind.SHARDED:
        return CustomerChoice(policy.numbers[_shard(order.order_id, len(policy.numbers))], per_buyer=False)
    buyer = address or order.ship_to
    known = buyer is not None and bool(buyer.name or buyer.company) and bool(buyer.lines)
    if policy.kind is CustomerPolicyKind.PER_BUYER and order.channel is Channel.MFN and buyer and known:
        return CustomerChoice(buyer_number(order.seller_id, buyer, policy.prefix), per_buyer=True)
    return CustomerChoice(policy.numbers[0], per_buyer=False)


def buyer_number(seller_id: str, buyer: Address, prefix: str) -> str:
    """CUNO of a buyer, ten characters: the same name at the same address gets the same number in every run.

    The number is a digest and tells nothing about the buyer. Spelling differences of case, accents and
    spaces do not make a new customer. With eight free characters, two of a million buyers share a number
    with a chance of about one in six: who creates a customer under this number compares the name M3 already
    has.
    """
    facts = (seller_id, buyer.name, buyer.company, *buyer.lines, buyer.postal_code, buyer.city, buyer.country)
    digest = hashlib.sha256("\x1f".join(_normal(fact) for fact in facts).encode()).digest()
    number, free = int.from_bytes(digest, "big"), CUNO_LENGTH - len(prefix)
    characters = []
    for _ in range(free):
        number, digit = divmod(number, len(_DIGITS))
        characters.append(_DIGITS[digit])
    return prefix.upper() + "".join(characters)


def _shard(order_id: str, shards: int) -> int:
    digits = "".join(character for character in order_id if character.isdigit())
    return zlib.crc32(digits.encode()) % shards


def _normal(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if character.isalnum())
