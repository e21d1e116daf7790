"""Metrics for Prometheus: served where the configuration says, refused by its key where that cannot be."""

import socket
import urllib.request

import pytest

from worker.quota.gauges import QuotaGauges
from worker.quota.limits import Rates
from worker.settings import ConfigurationError, WorkerSettings
from worker.telemetry import configure_metrics


def test_queues_and_quotas_are_served() -> None:
    assert configure_metrics(WorkerSettings()) is None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    runtime = configure_metrics(WorkerSettings(metrics_address=address))
    assert runtime is not None
    gauges = QuotaGauges(runtime.metric_meter)
    gauges.keeper(at_work=True)
    gauges.queue(Rates("o2c-m3", whole=0.0, per_fairness_key=None, backlog=7))
    gauges.bucket("getOrder", "A2EUSELLER", 12.5, 0.5)
    gauges.throttled("getOrder", "A2EUSELLER")
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        served = answer.read().decode()
    for line in (
        'o2c_queue_backlog{queue="o2c-m3",service_name="temporal-core-sdk"} 7',
        'o2c_queue_paused{queue="o2c-m3",service_name="temporal-core-sdk"} 1',
        'o2c_quota_keeper{service_name="temporal-core-sdk"} 1',
        'o2c_quota_level{operation="getOrder",seller="A2EUSELLER",service_name="temporal-core-sdk"} 12.5',
        'o2c_amazon_throttled_total{operation="getOrder",seller="A2EUSELLER",service_name="temporal-core-sdk"} 1',
    ):
        assert line in served, served
    with pytest.raises(ConfigurationError, match=r"worker\.metrics_address"):
        configure_metrics(WorkerSettings(metrics_address=address))
