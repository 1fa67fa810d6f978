"""Loads the definitions of a project as each process of Dagster does; prints figures as JSON."""

import importlib
import json
import sys
import time
from typing import Any

import dagster as dg

IMPORTS = ("dagster_dlt", "dlt.sources.rest_api")


def main() -> None:
    """Load the definitions, from the import of their module to the repository."""
    for module in IMPORTS:
        importlib.import_module(module)
    imported = time.process_time()
    made: Any = importlib.import_module("analytics_assets.definitions").definitions
    definitions = made if isinstance(made, dg.Definitions) else made()
    definitions.get_repository_def().load_all_definitions()
    sys.stdout.write(json.dumps({"beyond the imports, CPU s": time.process_time() - imported}))


if __name__ == "__main__":
    main()
