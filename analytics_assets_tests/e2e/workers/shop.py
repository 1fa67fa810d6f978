"""Definitions for workers: two APIs; the second one has a queue of its own."""

import os

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.project import project_sensors
from analytics_assets_tests.support.loading import entry_of

MOST = int(os.environ.get("MOST_RESOURCES", "4"))
TABLES = [f"orders_{number}" for number in range(1, MOST + 1)]
VISITS = "visits"  # of the second API
QUEUE = "web"  # of its steps

SHOP = Api(name="shop", config={**API.config, "resources": [entry_of(each) for each in TABLES]})
WEB = Api(
    name="web",
    config={**API.config, "resources": [entry_of(VISITS)]},
    default_policy={"op_tags": {"dagster-celery/queue": QUEUE}},
)
JOBS = [
    dg.define_asset_job(
        "tables",
        dg.AssetSelection.groups("shop") - dg.AssetSelection.assets(["shop", "load_health"]),
    ),
    dg.define_asset_job("visits", dg.AssetSelection.assets(["web", VISITS])),
]
definitions = dg.Definitions.merge(
    build_definitions(SHOP),
    build_definitions(WEB),
    dg.Definitions(jobs=JOBS, sensors=project_sensors([SHOP, WEB])),
)
