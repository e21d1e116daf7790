"""The script many sellers run: python-amazon-sp-api with its own `load_all_pages` and `throttle_retry`.

    python sp_api_script.py URL v0|2026-01-01 MARKETPLACE SINCE RESULT

Writes one JSON line per order it has, with its items. Secrets come from LWA_ID, LWA_SECRET, LWA_REFRESH.
"""

import json
import os
import sys
from types import SimpleNamespace

from sp_api.api import Orders
from sp_api.auth import AccessTokenClient
from sp_api.util import load_all_pages, throttle_retry


def main() -> None:
    url, version, marketplace_id, since, result = sys.argv[1:]
    scheme, host = url.split("//")
    AccessTokenClient.scheme, AccessTokenClient.host = f"{scheme}//", host
    orders = Orders(
        marketplace=SimpleNamespace(endpoint=url, marketplace_id=marketplace_id, region="eu-west-1"),
        refresh_token=os.environ["LWA_REFRESH"],
        credentials={"lwa_app_id": os.environ["LWA_ID"], "lwa_client_secret": os.environ["LWA_SECRET"]},
        version=version,
    )
    found = read_v0 if version == "v0" else read_2026
    with open(result, "w", encoding="utf-8") as store:
        for order_id, items in found(orders, marketplace_id, since):
            store.write(json.dumps({"order": order_id, "items": items}) + "\n")


def read_v0(orders, marketplace_id, since):
    @throttle_retry()
    @load_all_pages()
    def all_orders(**asked):
        return orders.get_orders(**asked)

    @throttle_retry()
    def items_of(order_id):
        return orders.get_order_items(order_id).payload["OrderItems"]

    for page in all_orders(MarketplaceIds=[marketplace_id], CreatedAfter=since, MaxResultsPerPage=100):
        for order in page.payload["Orders"]:
            order_id = order["AmazonOrderId"]
            yield order_id, [item["OrderItemId"] for item in items_of(order_id)]


def read_2026(orders, marketplace_id, since):
    @throttle_retry()
    @load_all_pages(throttle_by_seconds=0, next_token_param="paginationToken")
    def all_orders(**asked):
        return orders.search_orders(**asked)

    for page in all_orders(
        marketplaceIds=[marketplace_id],
        createdAfter=since,
        includedData=["PROCEEDS", "FULFILLMENT"],
        maxResultsPerPage=100,
    ):
        for order in page.payload["orders"]:
            yield order["orderId"], [item["orderItemId"] for item in order["orderItems"]]


if __name__ == "__main__":
    main()
