"""The clients of Amazon and M3, and the targets of alerts, made from the configuration."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from pydantic import ValidationError

from activities.alerts.targets import AlertTargets, UnreadableAddress
from activities.amazon.client import AmazonClient
from activities.amazon.lwa import TOKEN_URL, Credentials, TokenCache
from activities.amazon.operations import ENDPOINTS
from activities.m3.auth import BasicAccess, IonApi, ServiceAccount
from activities.m3.client import M3Client
from activities.m3.ion import IonMessages
from activities.m3.options import M3Options
from worker.alert_settings import AlertSettings
from worker.return_settings import ReturnSettings
from worker.settings import (
    ConfigurationError,
    M3Settings,
    SellerSettings,
    Settings,
    secret,
)


@dataclass(frozen=True)
class Outside:
    """The two systems this service stands between, and the people it tells."""

    amazon: dict[str, AmazonClient]
    """By seller id."""
    m3: M3Client
    m3_options: M3Options
    alerts: AlertTargets
    """Who is told of held orders."""
    http: httpx.AsyncClient
    """For what lies elsewhere, such as documents of Amazon's reports."""
    ion: IonMessages | None = None
    """What goes out through ION; None where nothing does."""


@asynccontextmanager
async def outside(settings: Settings) -> AsyncIterator[Outside]:
    """Open the clients; raises ConfigurationError where a secret or the .ionapi file is missing."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
    async with httpx.AsyncClient(timeout=httpx.Timeout(30.0, connect=10.0), limits=limits) as http:
        amazon = {
            seller_id: _amazon_client(seller_id, seller, http, settings.mcf.api)
            for seller_id, seller in settings.sellers.items()
        }
        alerts = alert_targets(settings.alerts)
        m3 = _m3_client(settings.m3)
        ion = _ion_messages(settings)
        try:
            yield Outside(
                amazon=amazon, m3=m3, m3_options=m3_options(settings), alerts=alerts, http=http, ion=ion
            )
        finally:
            await m3.aclose()
            if ion is not None:
                await ion.aclose()
            alerts.close()


def alert_targets(alerts: AlertSettings) -> AlertTargets:
    """The targets with their addresses; raises ConfigurationError naming the variable, never its value."""
    try:
        return AlertTargets({name: secret(variable) for name, variable in alerts.targets.items()})
    except UnreadableAddress as error:
        raise ConfigurationError(f"alerts.targets: {error}") from None


def m3_options(settings: Settings) -> M3Options:
    """What the M3 activities need to know beside address and account."""
    m3 = settings.m3
    return M3Options(
        company=m3.company,
        division=m3.division,
        cuor_lookup=m3.cuor_lookup,
        trigger_invoice=m3.trigger_invoice,
        on_premises=m3.profile == "onprem",
        partner=m3.partner,
        message_type=m3.message_type,
        returns=(settings.returns or ReturnSettings()).options,
        settlements=settings.settlement.posting.options if settings.settlement.plan.configured else None,
    )


def credentials_of(seller: SellerSettings) -> Credentials:
    """The seller's secrets from the environment; raises ConfigurationError naming the variable."""
    return Credentials(
        client_id=secret(f"{seller.secrets}_CLIENT_ID").get_secret_value(),
        client_secret=secret(f"{seller.secrets}_CLIENT_SECRET").get_secret_value(),
        refresh_token=secret(f"{seller.secrets}_REFRESH_TOKEN").get_secret_value(),
    )


def _amazon_client(
    seller_id: str, seller: SellerSettings, http: httpx.AsyncClient, outbound_api: str
) -> AmazonClient:
    credentials = credentials_of(seller)
    token_url = str(seller.token_endpoint) if seller.token_endpoint else TOKEN_URL
    endpoint = str(seller.endpoint).rstrip("/") if seller.endpoint else ENDPOINTS[seller.region]
    return AmazonClient(
        seller_id=seller_id,
        endpoint=endpoint,
        tokens=TokenCache(credentials, http, token_url),
        http=http,
        marketplace_ids=seller.marketplaces,
        quota_factor=seller.quota_factor,
        outbound_api=outbound_api,
    )


def _m3_client(m3: M3Settings) -> M3Client:
    http = httpx.AsyncClient(
        timeout=httpx.Timeout(m3.timeout_seconds, connect=10.0),
        limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
    )
    if m3.profile == "onprem":
        user = secret(f"{m3.secrets}_USER").get_secret_value()
        access = BasicAccess(user, secret(f"{m3.secrets}_PASSWORD"))
        return M3Client(
            str(m3.base_url).removesuffix("/").removesuffix("/m3api-rest"),
            access,
            company=m3.company,
            division=m3.division,
            http=http,
        )
    account = _service_account(m3)
    return M3Client(
        account.api_base, ServiceAccount(account), company=m3.company, division=m3.division, http=http
    )


def _ion_messages(settings: Settings) -> IonMessages | None:
    """Messages go by the service account that calls M3; its client id is the one ION's connection point knows."""
    if settings.ion is None or settings.ion.logical_id is None:
        return None
    account = _service_account(settings.m3)
    http = httpx.AsyncClient(timeout=httpx.Timeout(settings.m3.timeout_seconds, connect=10.0))
    logical_id = settings.ion.logical_id
    return IonMessages(account.tenant_url, ServiceAccount(account), logical_id=logical_id, http=http)


def _service_account(m3: M3Settings) -> IonApi:
    if m3.ionapi is None:
        raise ConfigurationError("m3.ionapi: the service account's file is needed")
    try:
        return IonApi.from_file(m3.ionapi)
    except OSError as error:
        raise ConfigurationError(
            f"m3.ionapi: the file {m3.ionapi} cannot be read: {error.strerror}."
        ) from None
    except (ValidationError, json.JSONDecodeError) as error:
        missing = (
            ", ".join(
                str(problem["loc"][0]) for problem in error.errors(include_input=False) if problem["loc"]
            )
            if isinstance(error, ValidationError)
            else ""
        )
        raise ConfigurationError(
            f"m3.ionapi: {m3.ionapi} is no service account's .ionapi file (missing or wrong: {missing or 'all'})."
        ) from None
