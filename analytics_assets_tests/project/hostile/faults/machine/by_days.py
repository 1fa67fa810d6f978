"""Definitions for other processes: one resource, loaded by days, sixty of them in a run."""

from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets_tests.support.partitioned import api_by_day

API = api_by_day("traffic_sources", longest_window=60)
definitions = build_definitions(API)
