"""Definitions for processes of their own: one resource of the embedded API, loaded by days."""

from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets_tests.support.partitioned import api_by_day

definitions = build_definitions(api_by_day("traffic_sources"))
