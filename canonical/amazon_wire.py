"""The parts of Amazon's Orders 2026-01-01 payload that are read (model `Order` and what it refers to).

Strict about what an order needs; unknown fields and values Amazon may add are let through.
"""

from decimal import Decimal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Wire(BaseModel):
    model_config = ConfigDict(
        extra="ignore", alias_generator=to_camel, frozen=True, hide_input_in_errors=True
    )


class WireMoney(_Wire):
    amount: Decimal
    """A string in Amazon's model; a JSON number is taken too."""
    currency_code: str = Field(min_length=3, max_length=3)


class WireSalesChannel(_Wire):
    channel_name: str
    marketplace_id: str | None = None
    marketplace_name: str | None = None


class WireAssociatedOrder(_Wire):
    order_id: str | None = None
    association_type: str | None = None


class WireExtendedFields(_Wire):
    neighborhood: str | None = None


class WireAddress(_Wire):
    name: str | None = None
    company_name: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_line3: str | None = None
    city: str | None = None
    district_or_county: str | None = None
    state_or_region: str | None = None
    municipality: str | None = None
    postal_code: str | None = None
    country_code: str | None = None
    phone: str | None = None
    extended_fields: WireExtendedFields | None = None


class WireRecipient(_Wire):
    delivery_address: WireAddress | None = None


class WireDetailedBreakdown(_Wire):
    subtype: str | None = None
    value: WireMoney | None = None


class WireBreakdown(_Wire):
    type: str
    subtotal: WireMoney
    detailed_breakdowns: tuple[WireDetailedBreakdown, ...] | None = None


class WireOrderProceeds(_Wire):
    grand_total: WireMoney | None = None
    breakdowns: tuple[WireBreakdown, ...] | None = None


class WireDateTimeRange(_Wire):
    latest_date_time: AwareDatetime | None = None


class WireOrderFulfillment(_Wire):
    fulfillment_status: str
    fulfilled_by: str | None = None
    fulfillment_service_level: str | None = None
    ship_by_window: WireDateTimeRange | None = None


class WirePrice(_Wire):
    unit_price: WireMoney | None = None


class WireProduct(_Wire):
    asin: str | None = None
    title: str | None = None
    seller_sku: str | None = None
    price: WirePrice | None = None


class WireItemProceeds(_Wire):
    proceeds_total: WireMoney | None = None
    breakdowns: tuple[WireBreakdown, ...] | None = None


class WireCancellation(_Wire):
    cancellation_request: dict[str, object] | None = None


class WireItemFulfillment(_Wire):
    quantity_fulfilled: int | None = Field(default=None, ge=0)


class WireTaxCollection(_Wire):
    model: str | None = None


class WireItemTax(_Wire):
    tax_collections: tuple[WireTaxCollection, ...] | None = None


class WireItem(_Wire):
    order_item_id: str = Field(min_length=1)
    quantity_ordered: int = Field(ge=0)
    product: WireProduct
    proceeds: WireItemProceeds | None = None
    cancellation: WireCancellation | None = None
    fulfillment: WireItemFulfillment | None = None
    tax: WireItemTax | None = None


class WireOrder(_Wire):
    order_id: str = Field(min_length=1)
    created_time: AwareDatetime
    last_updated_time: AwareDatetime
    associated_orders: tuple[WireAssociatedOrder, ...] | None = None
    sales_channel: WireSalesChannel
    recipient: WireRecipient | None = None
    proceeds: WireOrderProceeds | None = None
    fulfillment: WireOrderFulfillment
    order_items: tuple[WireItem, ...]
