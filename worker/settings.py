"""The configuration: one TOML file, secrets from the environment. What is wrong is refused with its key."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from canonical.held_reasons import HELD_REASONS
from canonical.marketplaces import MARKETPLACES
from canonical.profile import MarketplaceProfile
from worker.alert_settings import AlertSettings
from worker.archive_settings import ArchiveSettings, ImportSettings
from worker.fba_stock_settings import FbaStockSettings
from worker.ion_settings import IonSettings
from worker.mcf_settings import McfSettings
from worker.notification_settings import NotificationSettings
from worker.return_settings import ReturnSettings
from worker.schedule_settings import ScheduleSettings
from worker.settlement_settings import SettlementSettings
from worker.sku_settings import SkuSettings
from worker.stock_settings import StockSettings

CONFIG_VARIABLE = "O2C_CONFIG"
DEFAULT_FILE = Path("o2c.toml")

_Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+$")]


class ConfigurationError(Exception):
    """The configuration cannot be used; the text names the key and the reason, never a secret."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TemporalSettings(_Strict):
    """Where the orders run; left out, Temporal's environment and profiles decide (TEMPORAL_ADDRESS ...)."""

    address: str | None = None
    """Host and port of the Temporal server; none takes TEMPORAL_ADDRESS, then localhost:7233."""
    namespace: str | None = None
    """Temporal namespace of the orders; none takes TEMPORAL_NAMESPACE, then default."""
    web_ui: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8233")
    """Base address of the Web UI, for links."""


class SellerSettings(_Strict):
    """One selling partner account in one region. Secrets come from the environment: see `secrets`."""

    region: Literal["na", "eu", "fe"]
    """Amazon's SP-API region of the account."""
    marketplaces: tuple[str, ...]
    """Ids of the marketplaces whose orders are carried in; each needs its section."""
    secrets: _Key
    """Prefix of the environment variables PREFIX_CLIENT_ID, PREFIX_CLIENT_SECRET, PREFIX_REFRESH_TOKEN."""
    endpoint: AnyHttpUrl | None = None
    """Another address than Amazon's for the region, such as a simulator's."""
    token_endpoint: AnyHttpUrl | None = None
    """Another address than Login with Amazon's, such as a simulator's."""
    quota_factor: Annotated[float, Field(gt=0, le=100_000)] = 1.0
    """How many times the documented default rates this account has."""

    @model_validator(mode="after")
    def _known_marketplaces(self) -> "SellerSettings":
        for marketplace in self.marketplaces:
            known = MARKETPLACES.get(marketplace)
            if known is None:
                raise ValueError(f"{marketplace} is no Amazon marketplace id")
            if known.region != self.region:
                raise ValueError(f"{marketplace} ({known.name}) belongs to region {known.region}")
        return self


class M3Settings(_Strict):
    """The M3 company. Cloud: an .ionapi service account; on-premises: base URL and Basic credentials."""

    profile: Literal["cloud", "onprem"] = "cloud"
    """Which M3: CloudSuite behind the ION API gateway, or one on own machines."""
    ionapi: Path | None = None
    """The service account's .ionapi file; keep it readable for the worker alone."""
    base_url: AnyHttpUrl | None = None
    """On-premises: address up to and including m3api-rest."""
    secrets: _Key = "M3"
    """On-premises: prefix of PREFIX_USER and PREFIX_PASSWORD."""
    company: Annotated[int, Field(ge=1, le=999)]
    """CONO."""
    division: Annotated[str, StringConstraints(max_length=3)] = ""
    """DIVI of invoices and vouchers where a marketplace names none."""
    cuor_lookup: Literal["lists", "export", "by_customer"] = "lists"
    """How an order is found by CUOR: CMS100MI lists (one call), EXPORTMI, or the customers' order lists."""
    trigger_invoice: bool = False
    """Whether to call OIS350MI.PrtInvoice; otherwise M3's order type or job invoices. Cloud only."""
    partner: Annotated[str, StringConstraints(min_length=1, max_length=17)] = "AMAZON"
    """E0PA: partner under which shipments are reported (MMS865)."""
    message_type: Annotated[str, StringConstraints(min_length=1, max_length=6)] = "WMS"
    """E065: message type set up for that partner."""
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    """Rate of the M3 task queue over all workers; none leaves it to M3's own throttling."""
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 65.0
    """Longer than the API gateway's own (60 s), so that its answer is heard."""

    @model_validator(mode="after")
    def _profile_is_complete(self) -> "M3Settings":
        if self.profile == "cloud" and self.ionapi is None:
            raise ValueError("profile cloud needs ionapi, the service account's file")
        if self.profile == "onprem" and self.base_url is None:
            raise ValueError("profile onprem needs base_url")
        if self.profile == "onprem" and self.trigger_invoice:
            raise ValueError("trigger_invoice needs OIS350MI.PrtInvoice, which on-premises M3 does not have")
        return self


class WorkerSettings(_Strict):
    """How much one worker process takes on."""

    cached_orders: Annotated[int, Field(ge=2)] = 2000
    """Orders kept in memory, about 0.12 MiB each; the others are read again from their history when something
    happens to them. Give all workers together room for the orders that are under way at a time: with half of that,
    they did a fifth of the work."""
    workflow_tasks: Annotated[int, Field(ge=2)] = 20
    """Orders whose next step is decided at the same time."""
    m3_calls: Annotated[int, Field(ge=1)] = 40
    """Activities that talk to M3 at the same time."""
    amazon_calls: Annotated[int, Field(ge=1)] = 20
    """Activities of one Amazon operation at the same time."""
    graceful_seconds: Annotated[float, Field(ge=0)] = 30.0
    """How long calls under way may take when the worker is told to stop."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe lines that are written."""
    log_format: Literal["json", "console"] = "json"
    """JSON lines for a log collector, or text for a terminal."""
    metrics_address: Annotated[str, StringConstraints(pattern=r"^[^:\s]+:\d+$")] | None = None
    """Host and port at which Prometheus reads metrics, such as ``127.0.0.1:9464``; none serves no metrics. Several
    workers on one machine need a port each."""
    trace_file: Path | None = None
    """Where spans are written as JSON lines; none leaves tracing to OTEL_* environment and its SDK."""


class HeldSettings(_Strict):
    """Who looks after what is held."""

    owners: dict[str, str] = {}
    """By held reason: the person or team that repairs it, as `o2c held` names them."""

    @model_validator(mode="after")
    def _known_reasons(self) -> "HeldSettings":
        for reason in self.owners:
            if reason not in HELD_REASONS:
                raise ValueError(f"owners: {reason} is no held reason; 'o2c held --reasons' lists them")
        return self


class Settings(_Strict):
    """The whole configuration."""

    temporal: TemporalSettings = TemporalSettings()
    """Where the orders run."""
    m3: M3Settings
    """The M3 company."""
    ion: IonSettings | None = None
    """Messages from and to Infor ION; none takes and sends none."""
    worker: WorkerSettings = WorkerSettings()
    """How much one worker process takes on."""
    alerts: AlertSettings = AlertSettings()
    """Who is told of held orders, and when."""
    held: HeldSettings = HeldSettings()
    """Who looks after what is held."""
    mcf: McfSettings = McfSettings()
    """Multi-channel fulfilment: M3's deliveries that Amazon ships."""
    returns: ReturnSettings | None = None
    """Refunds, returns, replacements and reimbursements; none follows none."""
    notifications: NotificationSettings = NotificationSettings()
    """Where Amazon's notifications arrive."""
    archive: ArchiveSettings = ArchiveSettings()
    """Where imported files, reports and results are kept."""
    imports: ImportSettings = ImportSettings()
    """At what pace imports go."""
    settlement: SettlementSettings = SettlementSettings()
    """How Amazon's settlements are booked."""
    fba_stock: FbaStockSettings | None = None
    """What Amazon does to its own stock, as corrections in M3; none tells M3 nothing."""
    stock: StockSettings | None = None
    """M3's stock as Amazon offers it; none pushes none."""
    sku: SkuSettings | None = None
    """The daily look at SKUs without item; none looks only when asked."""
    schedules: ScheduleSettings = ScheduleSettings()
    """What runs by the clock."""
    sellers: dict[str, SellerSettings]
    """By seller id."""
    marketplaces: dict[str, MarketplaceProfile]
    """By marketplace id."""

    @model_validator(mode="after")
    def _answers_need_a_gateway(self) -> "Settings":
        if self.ion is not None and self.ion.logical_id is not None and self.m3.profile != "cloud":
            raise ValueError(
                "ion: logical_id needs the messaging service of the ION API gateway (m3.profile cloud)"
            )
        return self

    @model_validator(mode="after")
    def _every_marketplace_has_a_profile(self) -> "Settings":
        if not self.sellers:
            raise ValueError("sellers: at least one seller is needed")
        for seller_id, seller in self.sellers.items():
            for marketplace in seller.marketplaces:
                if marketplace not in self.marketplaces:
                    raise ValueError(f"sellers.{seller_id}: marketplace {marketplace} has no profile")
        for key, profile in self.marketplaces.items():
            if key != profile.marketplace_id:
                raise ValueError(f"marketplaces.{key}: marketplace_id is {profile.marketplace_id}")
        marketplaces = {seller: one.marketplaces for seller, one in self.sellers.items()}
        self.mcf.refuse_strangers(marketplaces)
        if self.fba_stock is not None:
            self.fba_stock.options(marketplaces, self.marketplaces, self.m3.message_type)
        return self

    @property
    def web_ui(self) -> str:
        return str(self.temporal.web_ui).rstrip("/")


def load_settings(path: Path | None = None) -> Settings:
    """Read the configuration from `path`, $O2C_CONFIG or ./o2c.toml; raises ConfigurationError."""
    file = path or Path(os.environ.get(CONFIG_VARIABLE, DEFAULT_FILE))
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no configuration file {file}; name one with --config or ${CONFIG_VARIABLE}, or begin "
            "with a copy of deploy/o2c.example.toml."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"The configuration file {file} cannot be read: {error}.") from None
    for key, profile in data.get("marketplaces", {}).items():
        if isinstance(profile, dict):
            profile.setdefault("marketplace_id", key)
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(_said(file, error)) from None


def secret(name: str) -> SecretStr:
    """A secret from the environment; raises ConfigurationError naming the variable."""
    value = os.environ.get(name, "")
    if not value:
        raise ConfigurationError(f"The environment variable {name} is needed and not set.")
    return SecretStr(value)


def _said(file: Path, error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        key = ".".join(str(part) for part in problem["loc"]) or "the whole"
        reason = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            reason = "there is no such key; look for a typing error"
        lines.append(f"  {key}: {reason}")
    return f"The configuration {file} cannot be used:\n" + "\n".join(lines)
