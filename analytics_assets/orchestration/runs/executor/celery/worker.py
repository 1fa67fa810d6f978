"""Celery's app of workers: `celery -A analytics_assets.orchestration.runs.executor.celery.worker`.

It has the configuration of the executor, by the same settings. Celery imports what loads need once,
before it forks the processes.
"""

from functools import cache

from celery import Celery

from analytics_assets.orchestration.runs.executor.celery.compat import app_arguments, app_of
from analytics_assets.orchestration.runs.executor.celery.settings import (
    CONFIGURATION,
    celery_arguments,
)
from analytics_assets.orchestration.runs.executor.celery.step_task import StepTask


def __getattr__(name: str) -> Celery:
    """Return the app, once Celery asks for it: that is when its settings must be there."""
    if name != "app":
        raise AttributeError(name)
    return _app()


@cache
def _app() -> Celery:
    return app_of(app_arguments(celery_arguments(), CONFIGURATION), StepTask)
