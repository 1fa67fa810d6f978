"""A shop whose loads and checks come out as a test says, in real runs of Dagster."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.orchestration.automation.alerts.alerted_project import AlertedProject
from analytics_assets.orchestration.automation.alerts.sender import (
    AlertsSent,
    send_alerts,
)

HOUR, DAY = 3600.0, 86400.0
FRESH: PolicyEntry = {"freshness": timedelta(days=36500)}


def shop_api(
    *resources: str, policies: Mapping[str, PolicyEntry] | None = None, name: str = "shop"
) -> Api:
    """Return an API whose tables are never late, unless a policy says otherwise."""
    config = {
        "client": {"base_url": "https://shop.example.com"},
        "resources": [{"name": each, "endpoint": {"path": f"/{each}"}} for each in resources],
    }
    return Api(name=name, config=config, default_policy=FRESH, policies=policies or {})


class Shop:
    """The shop, and the sender of its alerts with a clock of the test.

    Args:
        instance: holds the event log.
        *apis: the APIs; by default one with `orders` and `customers`.
    """

    def __init__(self, instance: dg.DagsterInstance, *apis: Api) -> None:
        self.instance = instance
        self.apis = apis or (shop_api("orders", "customers"),)
        self.failures: dict[str, Exception] = {}
        self.findings: dict[str, tuple[dg.AssetCheckSeverity, str]] = {}
        self.ahead = 0.0  # of the clock, in seconds

    @property
    def project(self) -> AlertedProject:
        """The project of the APIs."""
        return AlertedProject({api.name: api for api in self.apis})

    def clock(self) -> float:
        """Return the moment of the test."""
        return time.time() + self.ahead

    def send(self, **options: Any) -> AlertsSent:
        """Send what is to be reported now."""
        return send_alerts(self.instance, self.project, clock=self.clock, **options)

    def load(
        self,
        *names: str,
        tags: Mapping[str, str] | None = None,
        retries: int = 0,
        check: str = "no_rejected_rows",
    ) -> dg.ExecuteInProcessResult:
        """Load some tables, each with a check, in one run."""
        assets = [self._asset(name, retries) for name in names or self._all()]
        checks = [self._check(name, check) for name in names or self._all()]
        job = dg.Definitions(assets=assets, asset_checks=checks)
        return job.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance, raise_on_error=False, tags=dict(tags or {})
        )

    def load_days(self, tags: Mapping[str, str]) -> None:
        """Load the days of `orders` that some tags name in one run."""
        days = dg.DailyPartitionsDefinition("2026-10-01", end_date="2026-12-01")
        backfill = dg.BackfillPolicy.single_run()

        @dg.asset(key=["shop", "orders"], partitions_def=days, backfill_policy=backfill)
        def load() -> None:
            if "shop/orders" in self.failures:
                raise self.failures["shop/orders"]

        job = dg.Definitions(assets=[load]).resolve_implicit_global_asset_job_def()
        job.execute_in_process(instance=self.instance, raise_on_error=False, tags=dict(tags))

    def _all(self) -> Sequence[str]:
        return [each.full_name for api in self.apis for each in api.resources.values()]

    def _asset(self, name: str, retries: int) -> dg.AssetsDefinition:
        policy = dg.RetryPolicy(max_retries=retries) if retries else None

        @dg.asset(key=name.split("/"), retry_policy=policy)
        def load() -> None:
            if name in self.failures:
                raise self.failures[name]

        return load

    def _check(self, name: str, check: str) -> dg.AssetChecksDefinition:
        @dg.asset_check(asset=name.split("/"), name=check)
        def result() -> dg.AssetCheckResult:
            severity, text = self.findings.get(name, (dg.AssetCheckSeverity.ERROR, "fine"))
            passed = name not in self.findings
            return dg.AssetCheckResult(passed=passed, severity=severity, description=text)

        return result


def down(name: str, text: str = "GET https://shop.example.com: the API answered 503") -> dg.Failure:
    """Return the failure of a load whose API is down."""
    return dg.Failure(f"{name.rpartition('/')[2]} was not loaded. {text}")
