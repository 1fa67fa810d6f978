"""Retention of Dagster's history: runs, results of checks and logs leave it after a while."""
