"""Settings of Celery: where its broker is, and the configuration of runs and workers alike."""

from typing import Any

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.resolution import resolved
from analytics_assets.redaction.configuration import learn_secrets

UNACKNOWLEDGED = 600  # seconds after which a message that no worker has begun goes to another one
CONFIGURATION = {
    "task_default_queue": "dagster",
    "task_default_priority": 5,
    # a worker takes a step once one of its processes is free: those that wait go to whoever is next
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    "broker_transport_options": {"visibility_timeout": UNACKNOWLEDGED},
    # workers wait for a broker that restarts, and finish meanwhile what they have begun
    "broker_connection_max_retries": None,
    "broker_connection_retry_on_startup": True,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "result_backend_always_retry": True,
    "result_backend_max_retries": 600,
    "result_backend_max_sleep_between_retries_ms": 2000,
}


@configspec
class CelerySettings(BaseConfiguration):
    """Addresses of Celery's servers; secrets, if they have a password.

    Args:
        celery_broker: the URL of the broker, which keeps the steps that wait for a worker.
        celery_backend: the URL of the place of results; None for the broker's, if that is Redis.
    """

    celery_broker: str | None = None
    celery_backend: str | None = None


def celery_arguments() -> dict[str, Any]:
    """Return the arguments of Celery's app, for the process of a run and for workers.

    Raises:
        SettingsError: there is no broker.
    """
    settings = resolved(CelerySettings())
    broker = (settings.celery_broker or "").strip()
    if not broker:
        raise SettingsError(
            "Celery needs the setting `celery_broker`, which is missing: set the environment "
            "variable CELERY_BROKER, or write it into .dlt/secrets.toml, such as "
            "redis://:password@broker.example.com:6379/0."
        )
    backend = (settings.celery_backend or "").strip()
    backend = backend or (broker if broker.startswith("redis") else "rpc://")
    for url in (broker, backend):
        learn_secrets(url)
    return {"broker": broker, "backend": backend}
