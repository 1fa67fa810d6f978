"""Rows out of an API: pure dlt, without Dagster."""
