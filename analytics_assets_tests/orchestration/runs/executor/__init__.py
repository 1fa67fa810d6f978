"""Runs whose steps are threads of one process."""
