"""The demonstration's configuration and the environment its worker needs."""

import shlex
import sys
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

QUOTA_FACTOR: Final = 500
"""How many times Amazon's documented request rates the demonstration has: its day lasts a minute."""

SECRETS: Final = {
    f"{prefix}_{name}": value
    for prefix, refresh_token in (("EU", "Atzr|sim-eu"), ("NA", "Atzr|sim-na"))
    for name, value in (
        ("CLIENT_ID", "amzn1.application-oa2-client.sim"),
        ("CLIENT_SECRET", "sim-lwa-secret"),
        ("REFRESH_TOKEN", refresh_token),
    )
}
"""The pretended sellers' credentials; they open nothing but the simulator."""


class Addresses(NamedTuple):
    """Where the parts of the demonstration listen."""

    temporal: str
    web_ui: str
    amazon: str
    m3: str
    ionapi: Path


def write_configuration(folder: Path, addresses: Addresses, quota_factor: float = QUOTA_FACTOR) -> Path:
    """Write ``o2c.toml``, and ``env``, which a shell sources to use `o2c` and `temporal` beside the demo.

    quota_factor: that of the pretended Amazon.
    """
    template = Template(files("starters.demo").joinpath("demo.toml").read_text(encoding="utf-8"))
    config = (folder / "o2c.toml").resolve()
    text = template.substitute(
        temporal=addresses.temporal,
        web_ui=addresses.web_ui,
        amazon=addresses.amazon,
        ionapi=addresses.ionapi.resolve(),
        archive=(folder / "archive").resolve(),
        quota_factor=float(quota_factor),
    )
    config.write_text(text, encoding="utf-8")
    variables = {
        "O2C_CONFIG": str(config),
        "TEMPORAL_ADDRESS": addresses.temporal,
        "AMAZON": addresses.amazon,
        "M3": addresses.m3,
        **SECRETS,
    }
    lines = [f"export {name}='{value}'\n" for name, value in variables.items()]
    lines.append(f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"\n')
    (folder / "env").write_text("".join(lines), encoding="utf-8")
    return config
