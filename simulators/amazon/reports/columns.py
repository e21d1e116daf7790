"""The columns of the flat files, in Amazon's order (real files of 2025 and 2017)."""

from __future__ import annotations

_SHIP_FROM = "address-name address-field-1 address-field-2 address-field-3 city state country postal-code"


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _ship_from(kind: str) -> tuple[str, ...]:
    return tuple(f"{kind}-ship-from-{part}" for part in _names(_SHIP_FROM))


ALL_ORDERS: tuple[str, ...] = (
    *_names("""
    amazon-order-id merchant-order-id purchase-date last-updated-date order-status fulfillment-channel
    sales-channel order-channel url ship-service-level product-name sku asin number-of-items item-status
    tax-collection-model tax-collection-responsible-party quantity currency item-price item-tax
    shipping-price shipping-tax gift-wrap-price gift-wrap-tax item-promotion-discount
    ship-promotion-discount address-type ship-city ship-state ship-postal-code ship-country promotion-ids
    payment-method-details item-extensions-data is-business-order purchase-order-number price-designation
    fulfilled-by buyer-company-name buyer-cst-number buyer-vat-number buyer-tax-registration-id
    buyer-tax-registration-country buyer-tax-registration-type customized-url customized-page
    is-heavy-or-bulky is-replacement-order is-exchange-order original-order-id is-amazon-invoiced
    vat-exclusive-item-price vat-exclusive-shipping-price vat-exclusive-giftwrap-price licensee-name
    license-number license-state license-expiration-date is-iba buyer-citizen-name buyer-citizen-id
    is-transparency
    """),
    *_ship_from("default"),
    *_ship_from("actual"),
    *_names("""
    is-ispu-order store-chain-store-id is-pickup-point-order pickup-point-type
    is-buyer-requested-cancellation buyer-requested-cancel-reason ioss-number order-invoice-type
    invoice-business-legal-name invoice-business-address invoice-business-tax-id
    invoice-business-tax-office
    """),
)

ACTIONABLE: tuple[str, ...] = (
    *_names("""
    order-id order-item-id purchase-date payments-date reporting-date promise-date days-past-promise
    buyer-email buyer-name payment-method-details buyer-phone-number sku number-of-items product-name
    quantity-purchased quantity-shipped quantity-to-ship ship-service-level ship-service-name
    recipient-name ship-address-1 ship-address-2 ship-address-3 address-type ship-city ship-state
    ship-postal-code ship-country gift-wrap-type gift-message-text payment-method cod-collectible-amount
    already-paid payment-method-fee customized-url customized-page is-business-order
    purchase-order-number price-designation is-prime is-premium-order buyer-company-name licensee-name
    license-number license-state license-expiration-date is-replacement-order is-exchange-order
    original-order-id is-transparency
    """),
    *_ship_from("default"),
    *_names("""
    is-ispu-order store-chain-store-id is-buyer-requested-cancellation buyer-requested-cancel-reason
    ioss-number tax-collection-model tax-collection-responsible-party verge-of-cancellation
    verge-of-lateShipment signature-confirmation-recommended
    """),
)

FULFILLED: tuple[str, ...] = _names("""
    amazon-order-id merchant-order-id shipment-id shipment-item-id amazon-order-item-id
    merchant-order-item-id purchase-date payments-date shipment-date reporting-date buyer-email buyer-name
    buyer-phone-number sku product-name quantity-shipped currency item-price item-tax shipping-price
    shipping-tax gift-wrap-price gift-wrap-tax ship-service-level recipient-name ship-address-1
    ship-address-2 ship-address-3 ship-city ship-state ship-postal-code ship-country ship-phone-number
    bill-address-1 bill-address-2 bill-address-3 bill-city bill-state bill-postal-code bill-country
    item-promotion-discount ship-promotion-discount carrier tracking-number estimated-arrival-date
    fulfillment-center-id fulfillment-channel sales-channel
""")
POINTS = "points-granted"
"""One more column of the fulfilled shipments, in Japan alone."""

LISTINGS: tuple[str, ...] = _names("""
    item-name item-description listing-id seller-sku price quantity open-date image-url item-is-marketplace
    product-id-type zshop-shipping-fee item-note item-condition zshop-category1 zshop-browse-path
    zshop-storefront-feature asin1 asin2 asin3 will-ship-internationally expedited-shipping zshop-boldface
    product-id bid-for-featured-placement add-delete pending-quantity fulfillment-channel merchant-shipping-group
    status
""")
"""GET_MERCHANT_LISTINGS_ALL_DATA, as published files have it."""
LISTINGS_JAPANESE: dict[str, str] = {
    "item-name": "商品名",
    "listing-id": "出品ID",
    "seller-sku": "出品者SKU",
    "price": "価格",
    "quantity": "数量",
    "open-date": "出品日",
    "product-id-type": "商品IDタイプ",
    "item-note": "コンディション説明",
    "item-condition": "コンディション",
    "will-ship-internationally": "国外へ配送可",
    "expedited-shipping": "迅速な配送",
    "product-id": "商品ID",
    "pending-quantity": "在庫数",
    "fulfillment-channel": "フルフィルメント・チャンネル",
    "merchant-shipping-group": "merchant-shipping-group",
    "status": "ステータス",
}
"""The same file in Japan: fewer columns, the ASIN only as product id."""
LISTINGS_GERMAN: dict[str, str] = {
    "item-name": "Artikelbezeichnung",
    "seller-sku": "Händler-SKU",
    "price": "Preis",
    "quantity": "Menge",
    "open-date": "Erstellungsdatum",
    "product-id-type": "Produkt-ID-Typ",
    "item-condition": "Artikelzustand",
    "asin1": "ASIN 1",
    "product-id": "Produkt-ID",
    "fulfillment-channel": "Versender",
    "status": "Status",
}
"""The same file for a seller whose account speaks German; only the columns whose German names are known."""


def settlement_v1(*, promotions: bool) -> tuple[str, ...]:
    """The older settlement file; its columns for promotions are there only where it tells of any."""
    named = _names("promotion-id promotion-type promotion-amount") if promotions else ()
    return (*_SETTLEMENT_V1, *named, *_names("direct-payment-type direct-payment-amount other-amount"))


_SETTLEMENT_V1 = _names("""
    settlement-id settlement-start-date settlement-end-date deposit-date total-amount currency transaction-type
    order-id merchant-order-id adjustment-id shipment-id marketplace-name shipment-fee-type shipment-fee-amount
    order-fee-type order-fee-amount fulfillment-id posted-date order-item-code merchant-order-item-id
    merchant-adjustment-item-id sku quantity-purchased price-type price-amount item-related-fee-type
    item-related-fee-amount misc-fee-amount other-fee-amount other-fee-reason-description
    """)
SETTLEMENT: tuple[str, ...] = _names("""
    settlement-id settlement-start-date settlement-end-date deposit-date total-amount currency transaction-type
    order-id merchant-order-id adjustment-id shipment-id marketplace-name amount-type amount-description amount
    fulfillment-id posted-date posted-date-time order-item-code merchant-order-item-id merchant-adjustment-item-id
    sku quantity-purchased promotion-id
    """)
