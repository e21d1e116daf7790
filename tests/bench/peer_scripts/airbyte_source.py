"""airbyte-source-amazon-seller-partner, its streams Orders and OrderItems; the package itself is untouched.

    python airbyte_source.py URL MARKETPLACE SINCE FOLDER

Writes what the source emits to FOLDER/airbyte.jsonl. Secrets come from LWA_ID, LWA_SECRET, LWA_REFRESH.
"""

import json
import os
import sys
from pathlib import Path

import source_amazon_seller_partner.source as connector
from source_amazon_seller_partner.components.auth import AmazonSPOauthAuthenticator
from source_amazon_seller_partner.run import run


def main() -> None:
    url, marketplace_id, since, place = sys.argv[1:]
    folder = Path(place)
    connector.get_marketplaces = lambda _: {"DE": (url, marketplace_id, "eu-west-1")}
    AmazonSPOauthAuthenticator.get_token_refresh_endpoint = lambda _: f"{url}/auth/o2/token"
    config = {
        "aws_environment": "PRODUCTION",
        "region": "DE",
        "account_type": "Seller",
        "lwa_app_id": os.environ["LWA_ID"],
        "lwa_client_secret": os.environ["LWA_SECRET"],
        "refresh_token": os.environ["LWA_REFRESH"],
        "replication_start_date": since,
    }
    streams = [
        {
            "stream": {
                "name": name,
                "json_schema": {},
                "supported_sync_modes": ["full_refresh", "incremental"],
            },
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
        }
        for name in ("Orders", "OrderItems")
    ]
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "catalog.json").write_text(json.dumps({"streams": streams}))
    sys.argv = [
        "source", "read", "--config", str(folder / "config.json"), "--catalog", str(folder / "catalog.json"),
    ]  # fmt: skip
    with (folder / "airbyte.jsonl").open("w") as out:
        sys.stdout.flush()
        os.dup2(out.fileno(), 1)
        run()


if __name__ == "__main__":
    main()
