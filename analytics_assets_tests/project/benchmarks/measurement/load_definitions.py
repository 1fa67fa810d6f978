"""Loads the definitions of many resources, and prints the seconds for the imports and for the rest.

Run as `python -m analytics_assets_tests.project.benchmarks.measurement.load_definitions
<resources>`, which is their number.
"""

import importlib
import json
import sys
import time
from typing import Any

IMPORTS = ("dagster", "dagster_dlt", "dlt.sources.rest_api")
TEMPLATE = "page_views"  # the resource that all are copies of, contract included


def main() -> None:
    """Load the definitions as Dagster does: from the import of their module to the repository."""
    began = time.perf_counter()
    for module in IMPORTS:
        importlib.import_module(module)
    imported = time.perf_counter()
    load(int(sys.argv[1]))
    ended = time.perf_counter()
    sys.stdout.write(json.dumps({"imports": imported - began, "seconds": ended - imported}))


def load(resources: int) -> None:
    """Load the definitions of resources, every other one of them partitioned by day."""
    # imports from here on count as loading
    api_module: Any = importlib.import_module("analytics_assets.defs.analytics.api")
    definitions: Any = importlib.import_module("analytics_assets.orchestration.definitions")
    collection: Any = importlib.import_module("analytics_assets.config.process.garbage_collection")
    shipped, names = api_module.API, [f"resource_{number}" for number in range(resources)]
    config = {
        **shipped.config,
        "resources": [{**shipped.resources[TEMPLATE].entry, "name": name} for name in names],
    }
    by_day = {"load": api_module.BY_DAY}
    policies = {name: by_day if number % 2 else {} for number, name in enumerate(names)}
    with collection.objects_kept():
        api = type(shipped)(
            name="many",
            config=config,
            policies=policies,
            default_policy=shipped.default_policy,
            openapi=shipped.openapi,
        )
        definitions.build_definitions(api).get_repository_def().load_all_definitions()


if __name__ == "__main__":
    main()
