"""Steps of runs on workers of Celery, by Dagster's executor for it."""
