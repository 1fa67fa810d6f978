"""Tests of runs under way, and of those whose process is gone."""
