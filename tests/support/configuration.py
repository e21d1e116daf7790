"""A configuration for the simulators' world, as an integration engineer would write it."""

from collections.abc import Sequence
from pathlib import Path

from simulators import catalogue
from simulators.m3.settings import TENANT
from worker.settings import Settings, load_settings

SECRETS = {
    f"{seller.name}_{name}": value
    for seller in catalogue.ACCOUNTS
    for name, value in (
        ("CLIENT_ID", catalogue.LWA_CLIENT_ID),
        ("CLIENT_SECRET", catalogue.LWA_CLIENT_SECRET),
        ("REFRESH_TOKEN", seller.refresh_token),
    )
}
"""What the worker expects in its environment."""
ION_USER, ION_PASSWORD = "ion-gateway", "ion-5EcReT-4711"
"""How ION shows the endpoint who it is."""
SECRETS |= {"ION_USER": ION_USER, "ION_PASSWORD": ION_PASSWORD}
LOGICAL_ID = "lid://infor.ims.o2c"

QUOTA_FACTOR = 5000.0

MCF = """
[mcf.warehouses.AFE]
seller = "A2EUSELLER0001"
marketplace = "A1PA6795UKMFR9"
speeds = { EXP = "Expedited" }
"""
"""M3 keeps Amazon's European stock in one warehouse, for Amazon's own orders and those of other channels."""

SETTLEMENT = """
[settlement]
time_zone = "Europe/Berlin"

[settlement.posting]
interface = "AMZGL2"

[settlement.accounts]
clearing = "1815"
carried_forward = "1817"
on_account = "1819"
reserve = "1816"
amazon_balance = "1817"
card = "1460"
bank = "1460"
loan = "2350"
tax = "2611"
tax_at_source = "1818"
promotions = "3090"
revenue = "3030"
refunds = "3091"
liquidation = "3920"
other_income = "3990"
other_expense = "7990"
fees = "6510"
fba_fees = "6520"
advertising = "6540"
freight = "6560"
input_tax = "6595"
suspense = "3990"
"""
"""How the pretended company's controller books what Amazon settles."""

_MARKETPLACE = """
[marketplaces.{id}]
facility = "A01"
division = "AAA"
order_type_fba = "{fba}"
order_type_mfn = "{mfn}"
order_type_replacement = "AZR"
order_type_tax_by_amazon = "AZN"
warehouse_fba = "{warehouse}"
warehouse_mfn = "MAI"
warehouse_shipped = "{warehouse}"
price_basis = "{basis}"
customer = {{ kind = "generic", numbers = ["{cuno}"] }}
charges = {{ shipping = "AMZSHP", gift_wrap = "AMZGFT", promotion = "AMZPRM", other = "AMZOTH" }}
{states}
[marketplaces.{id}.carriers]
DHL = {{ code = "DHL" }}
DPD = {{ code = "DPD" }}
UPS = {{ code = "UPS" }}
FDX = {{ code = "FedEx" }}
"""


def write_configuration(
    file: Path,
    *,
    temporal: str,
    amazon: str,
    ionapi: Path,
    extra_marketplace: str = "",
    accounts: Sequence[catalogue.Seller] = (),
    quota_factor: float = QUOTA_FACTOR,
) -> Path:
    """Write the TOML file; `extra_marketplace` is appended as it is. With `accounts`: these, with every
    marketplace they sell in; otherwise the two sellers for which orders are invented."""
    sellers = [(seller, seller.sold_in) for seller in accounts]
    sellers = sellers or [(seller, seller.marketplaces) for seller in catalogue.SELLERS]
    parts = [
        f'[temporal]\naddress = "{temporal}"\nnamespace = "default"\n',
        "[m3]",
        f'ionapi = "{ionapi}"',
        f"company = {catalogue.CONO}",
        f'division = "{catalogue.DIVI}"',
        f'partner = "{catalogue.PARTNER}"',
        f'message_type = "{catalogue.MESSAGE_TYPE}"',
        f'\n[archive]\nurl = "{file.parent / "archive"}"',
        "\n[worker]\ngraceful_seconds = 5.0\nlog_level = 'info'\n",
    ]
    for seller, marketplaces in sellers:
        ids = ", ".join(f'"{marketplace.marketplace_id}"' for marketplace in marketplaces)
        parts.append(f"[sellers.{seller.seller_id}]")
        parts.append(f'region = "{seller.region}"\nmarketplaces = [{ids}]\nsecrets = "{seller.name}"')
        parts.append(f'endpoint = "{amazon}"\ntoken_endpoint = "{amazon}/auth/o2/token"')
        parts.append(f"quota_factor = {quota_factor}\n")
    for seller, marketplaces in sellers:
        parts += [_profile(marketplace, seller.region) for marketplace in marketplaces]
    parts.append(f'[ion]\ntenant = "{TENANT}"\nport = 0\nlogical_id = "{LOGICAL_ID}"')
    parts.append("\n[returns]\n")
    parts.append(SETTLEMENT)
    if any(seller.seller_id == catalogue.SELLERS[0].seller_id for seller, _ in sellers):
        parts.append(MCF)
    parts.append(extra_marketplace)
    file.write_text("\n".join(parts), encoding="utf-8")
    return file


def _profile(marketplace: catalogue.Marketplace, region: str) -> str:
    gross = marketplace.country not in ("US", "CA")
    return _MARKETPLACE.format(
        id=marketplace.marketplace_id,
        fba="AZF" if gross else "AZN",
        mfn="AZM" if gross else "AZN",
        warehouse="AFN" if region == "na" else "AFE",
        basis="gross" if gross else "net",
        cuno=marketplace.generic_cuno,
        states="",
    )


def settings_for(
    folder: Path,
    *,
    temporal: str,
    amazon: str,
    ionapi: Path,
    extra_marketplace: str = "",
    accounts: Sequence[catalogue.Seller] = (),
) -> Settings:
    """The configuration read back as the worker reads it."""
    file = write_configuration(
        folder / "o2c.toml",
        temporal=temporal,
        amazon=amazon,
        ionapi=ionapi,
        extra_marketplace=extra_marketplace,
        accounts=accounts,
    )
    return load_settings(file)
