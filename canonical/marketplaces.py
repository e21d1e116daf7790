"""Amazon's marketplaces: id, country, region, currency, and the names reports call them by.

Ids: Amazon's SP-API guide, "Marketplace IDs". Sales-channel names: the `sales-channel` column of order
reports.
"""

from typing import Final, NamedTuple


class Marketplace(NamedTuple):
    """One Amazon marketplace."""

    id: str
    country: str
    """ISO 3166-1 alpha-2."""
    region: str
    """SP-API region: na, eu or fe."""
    currency: str
    """ISO 4217."""
    name: str
    """Domain as Amazon writes it, also `sales-channel` of the order reports and `marketplaceName`."""
    prices_include_tax: bool
    """Whether the prices buyers see contain VAT or GST; false where sales tax comes on top."""


NON_AMAZON: Final = "NON_AMAZON"
"""salesChannel.channelName of a multi-channel fulfilment order."""

_ROWS: Final = (
    Marketplace("ATVPDKIKX0DER", "US", "na", "USD", "Amazon.com", prices_include_tax=False),
    Marketplace("A2EUQ1WTGCTBG2", "CA", "na", "CAD", "Amazon.ca", prices_include_tax=False),
    Marketplace("A1AM78C64UM0Y8", "MX", "na", "MXN", "Amazon.com.mx", prices_include_tax=True),
    Marketplace("A2Q3Y263D00KWC", "BR", "na", "BRL", "Amazon.com.br", prices_include_tax=True),
    Marketplace("A1PA6795UKMFR9", "DE", "eu", "EUR", "Amazon.de", prices_include_tax=True),
    Marketplace("A1F83G8C2ARO7P", "GB", "eu", "GBP", "Amazon.co.uk", prices_include_tax=True),
    Marketplace("A13V1IB3VIYZZH", "FR", "eu", "EUR", "Amazon.fr", prices_include_tax=True),
    Marketplace("APJ6JRA9NG5V4", "IT", "eu", "EUR", "Amazon.it", prices_include_tax=True),
    Marketplace("A1RKKUPIHCS9HS", "ES", "eu", "EUR", "Amazon.es", prices_include_tax=True),
    Marketplace("A1805IZSGTT6HS", "NL", "eu", "EUR", "Amazon.nl", prices_include_tax=True),
    Marketplace("A2NODRKZP88ZB9", "SE", "eu", "SEK", "Amazon.se", prices_include_tax=True),
    Marketplace("A1C3SOZRARQ6R3", "PL", "eu", "PLN", "Amazon.pl", prices_include_tax=True),
    Marketplace("AMEN7PMS3EDWL", "BE", "eu", "EUR", "Amazon.com.be", prices_include_tax=True),
    Marketplace("A28R8C7NBKEWEA", "IE", "eu", "EUR", "Amazon.ie", prices_include_tax=True),
    Marketplace("A33AVAJ2PDY3EV", "TR", "eu", "TRY", "Amazon.com.tr", prices_include_tax=True),
    Marketplace("A2VIGQ35RCS4UG", "AE", "eu", "AED", "Amazon.ae", prices_include_tax=True),
    Marketplace("A17E79C6D8DWNP", "SA", "eu", "SAR", "Amazon.sa", prices_include_tax=True),
    Marketplace("ARBP9OOSHTCHU", "EG", "eu", "EGP", "Amazon.eg", prices_include_tax=True),
    Marketplace("A21TJRUUN4KGV", "IN", "eu", "INR", "Amazon.in", prices_include_tax=True),
    Marketplace("AE08WJ6YKNBMC", "ZA", "eu", "ZAR", "Amazon.co.za", prices_include_tax=True),
    Marketplace("A1VC38T7YXB528", "JP", "fe", "JPY", "Amazon.co.jp", prices_include_tax=True),
    Marketplace("A39IBJ37TRP1C6", "AU", "fe", "AUD", "Amazon.com.au", prices_include_tax=True),
    Marketplace("A19VAU5U5O7RUS", "SG", "fe", "SGD", "Amazon.sg", prices_include_tax=True),
)

MARKETPLACES: Final[dict[str, Marketplace]] = {row.id: row for row in _ROWS}
"""All marketplaces by id."""

_BY_NAME: Final = {row.name.lower(): row for row in _ROWS}
_BY_COUNTRY: Final = {row.country: row for row in _ROWS}


def by_sales_channel(name: str) -> Marketplace | None:
    """The marketplace that reports call `name` ("Amazon.co.uk"), None where no marketplace is called so."""
    return _BY_NAME.get(name.strip().lower())


def by_country(country: str) -> Marketplace | None:
    """The marketplace of a country (ISO 3166-1 alpha-2), None where Amazon has none there."""
    return _BY_COUNTRY.get(country.strip().upper())


def marketplace_name(marketplace_id: str) -> str:
    """The marketplace's name ("Amazon.de"), the id where this table does not know it."""
    row = MARKETPLACES.get(marketplace_id)
    return row.name if row else marketplace_id


def region_of(marketplace_id: str) -> str:
    """SP-API region (na, eu, fe) under which Amazon counts quotas; empty for an unknown marketplace."""
    row = MARKETPLACES.get(marketplace_id)
    return row.region if row else ""


def is_non_amazon(sales_channel: str) -> bool:
    """Whether a report's `sales-channel` names a multi-channel order ("Non-Amazon", "Non-Amazon US")."""
    return sales_channel.strip().lower().replace("_", "-").startswith("non-amazon")


def prices_include_tax(marketplace_id: str) -> bool:
    """Whether the marketplace shows prices with tax; true for a marketplace this table does not know."""
    row = MARKETPLACES.get(marketplace_id)
    return row is None or row.prices_include_tax
