"""Dagster's executor of runs whose steps are threads of one process."""
