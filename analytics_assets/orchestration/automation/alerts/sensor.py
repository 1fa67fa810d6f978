"""The sensor that sends the alerts of the whole project."""

from collections.abc import Iterable
from datetime import timedelta

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.text.quantities import count
from analytics_assets.orchestration.automation.alerts.alerted_project import AlertedProject
from analytics_assets.orchestration.automation.alerts.sender import (
    NO_URLS,
    send_alerts,
)
from analytics_assets.redaction.errors import errors_redacted

NAME = "alerts"
INTERVAL = timedelta(seconds=30)


class AlertsNotSentError(AnalyticsAssetsError):
    """A receiver did not take an alert, or its URL cannot be used; the alert is tried again."""


def build_alert_sensor(apis: Iterable[Api]) -> dg.SensorDefinition:
    """Build the sensor that sends alerts to the receivers in `alerts.urls`; it is on by default.

    Args:
        apis: the APIs of the project.
    """
    by_name = {api.name: api for api in apis}

    @dg.sensor(
        name=NAME,
        minimum_interval_seconds=int(INTERVAL.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends a message when a load or a check fails, when a table is late, and when "
        "that is over, to the receivers in the setting `alerts.urls`.",
    )
    @errors_redacted()
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        project = AlertedProject.of(by_name, context.repository_def)
        sent = send_alerts(context.instance, project)
        if sent.refusals:
            raise AlertsNotSentError(sent.summary)
        if sent.reason == NO_URLS:
            return dg.SkipReason(f"{NO_URLS} docs/monitoring.md has examples.")
        open_now = _open(sent.open)
        return dg.SkipReason(" ".join(filter(None, (sent.summary, open_now))))

    return alerts


def _open(number: int) -> str:
    if number == 0:
        return "No problem is open."
    return f"{count(number, 'problem is', 'problems are')} open."
