"""The definitions of the default project as a whole, compared with `snapshot.json`.

`UPDATE_SNAPSHOTS=1 pytest analytics_assets_tests/orchestration/test_snapshot.py` rewrites the file.
"""

import difflib
import json
import os
from pathlib import Path

from analytics_assets.definitions import definitions
from analytics_assets_tests.orchestration.snapshot import snapshot_of

FILE = Path(__file__).with_name("snapshot.json")


def test_the_definitions_of_the_default_project_are_those_of_the_snapshot() -> None:
    found = json.dumps(snapshot_of(definitions()), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FILE.write_text(found, encoding="utf-8")
    stored = FILE.read_text(encoding="utf-8")

    lines = difflib.unified_diff(
        stored.splitlines(), found.splitlines(), FILE.name, "definitions", lineterm=""
    )
    difference = "\n".join(lines)
    assert not difference, f"{difference}\nIf that is intended, set UPDATE_SNAPSHOTS=1."
