"""Runs under way, and those whose process is gone."""
