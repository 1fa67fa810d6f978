"""Runs, and the materializations that Dagster has recorded."""
