"""Packages as M3 has them now against what Amazon was told: what is to be said again under the same reference."""

from collections.abc import Iterable, Mapping

from canonical.order import Delivery, Package


def corrected(told: Iterable[Package], now: Iterable[Package]) -> tuple[Package, ...]:
    """Packages whose carrier or tracking number M3 has otherwise than Amazon was told, as they are to be told again.

    Contents and moment stay as they were told: Amazon has counted these pieces as shipped. A tracking number that
    M3 no longer has is not taken back, since Amazon takes no confirmation without one; a package that Amazon was
    never told of is no correction.
    """
    known = {package.reference: package for package in told}
    again: dict[str, Package] = {}
    for package in now:
        before = known.get(package.reference)
        if before is None:
            continue
        tracking = package.tracking_number.strip() or before.tracking_number
        carrier = package.carrier.strip() or before.carrier
        if (carrier, tracking) != (before.carrier, before.tracking_number.strip()):
            again[package.reference] = before.model_copy(
                update={"carrier": carrier, "tracking_number": tracking}
            )
    return tuple(again.values())


def told_since(told: Iterable[Package], later: Iterable[Package]) -> tuple[Package, ...]:
    """What Amazon knows after `later` was told too; the later word on a reference counts."""
    known = {package.reference: package for package in told}
    known |= {package.reference: package for package in later}
    return tuple(known.values())


def packages_of(deliveries: Iterable[Delivery]) -> tuple[Package, ...]:
    """All packages of all deliveries."""
    return tuple(package for delivery in deliveries for package in delivery.packages)


def fingerprint(deliveries: Iterable[Delivery]) -> frozenset[tuple[str, str, str]]:
    """What would have to differ for a correction: reference, carrier and tracking number of every package."""
    return frozenset(
        (package.reference, package.carrier, package.tracking_number) for package in packages_of(deliveries)
    )


def pieces(packages: Iterable[Package]) -> Mapping[str, int]:
    """Quantity by order item id over all packages."""
    total: dict[str, int] = {}
    for package in packages:
        for item, quantity in package.items.items():
            total[item] = total.get(item, 0) + quantity
    return total
