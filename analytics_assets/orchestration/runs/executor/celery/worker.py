"""Celery's app of workers: `celery -A analytics_assets.orchestration.runs.executor.celery.worker`.

It has the configuration of the executor, by the same settings. Celery imports what loads need once,
before it forks the processes.
"""

import sys
from functools import cache
from typing import Any

import dagster as dg
from celery import Celery
from celery.signals import worker_init

from analytics_assets.orchestration.runs.executor.celery.compat import app_arguments, app_of
from analytics_assets.orchestration.runs.executor.celery.settings import (
    CONFIGURATION,
    celery_arguments,
)
from analytics_assets.orchestration.runs.executor.celery.step_task import StepTask
from analytics_assets.redaction.redactor import redact


def __getattr__(name: str) -> Celery:
    """Return the app, once Celery asks for it: that is when its settings must be there."""
    if name != "app":
        raise AttributeError(name)
    return _app()


@cache
def _app() -> Celery:
    return app_of(app_arguments(celery_arguments(), CONFIGURATION), StepTask)


def require_history(**_: Any) -> None:
    """End a worker that cannot read Dagster's history, before it takes a step.

    Raises:
        SystemExit: `DAGSTER_HOME`, a variable of its `dagster.yaml`, or the database is missing.
    """
    try:
        with dg.DagsterInstance.get():
            pass
    except Exception as error:  # Celery logs what a signal raises, and starts the worker
        cause = redact(str(error).partition("\n\nStack")[0])
        sys.exit(
            "This worker cannot read Dagster's history, which it needs as the processes of runs do "
            f"(DAGSTER_HOME, DAGSTER_POSTGRES_URL): {cause}"
        )


worker_init.connect(require_history)
