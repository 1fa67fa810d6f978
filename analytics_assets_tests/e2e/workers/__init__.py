"""Runs whose steps are executed by workers of Celery, with Redis and PostgreSQL."""
