"""Which M3 customer an order is booked on."""

from collections import Counter
from typing import Any

import pytest

from canonical.customers import choose_customer
from canonical.order import Channel
from canonical.profile import CustomerPolicy
from tests.unit.order_builders import ADDRESS, order

SHARDS = ("S1", "S2", "S3", "S4")
PER_BUYER = CustomerPolicy(kind="per_buyer", numbers=("AMZDE",), template="TMPL", prefix="az")


def test_generic_is_one_customer() -> None:
    choice = choose_customer(order(), CustomerPolicy(numbers=("AMZDE", "OTHER")))
    assert choice == ("AMZDE", False)


def test_shards_are_stable_and_even() -> None:
    policy = CustomerPolicy(kind="sharded", numbers=SHARDS)
    chosen = [
        choose_customer(order(order_id=f"028-{number:07}-1234567"), policy).cuno for number in range(2000)
    ]
    again = [
        choose_customer(order(order_id=f"028-{number:07}-1234567"), policy).cuno for number in range(2000)
    ]
    assert chosen == again
    assert min(Counter(chosen).values()) > 400
    assert choose_customer(order(order_id="028-1234567-8901234"), policy).cuno == "S2"


def test_a_buyer_gets_one_number_of_ten_characters() -> None:
    first = choose_customer(order(), PER_BUYER)
    same = choose_customer(
        order(ship_to=ADDRESS.model_copy(update={"name": "ERIKA  Mustermann", "city": "KOLN"})), PER_BUYER
    )
    assert first.per_buyer
    assert first.cuno == same.cuno
    assert len(first.cuno) == 10
    assert first.cuno.startswith("AZ")
    assert first.cuno.isalnum()


@pytest.mark.parametrize("change", [{"name": "Max Mustermann"}, {"lines": ("Weg 2",)}, {"postal_code": "1"}])
def test_another_buyer_gets_another_number(change: dict[str, Any]) -> None:
    other = choose_customer(order(ship_to=ADDRESS.model_copy(update=change)), PER_BUYER)
    assert other.cuno != choose_customer(order(), PER_BUYER).cuno


def test_the_same_person_at_another_seller_is_another_customer() -> None:
    assert choose_customer(order(seller_id="B"), PER_BUYER).cuno != choose_customer(order(), PER_BUYER).cuno


@pytest.mark.parametrize(
    "change",
    [{"channel": Channel.FBA}, {"ship_to": None}, {"ship_to": ADDRESS.model_copy(update={"lines": ()})}],
)
def test_an_unknown_buyer_is_the_general_customer(change: dict[str, Any]) -> None:
    assert choose_customer(order(**change), PER_BUYER) == ("AMZDE", False)
