"""The commands of `analytics-assets`."""

import re

from analytics_assets_tests.cli.conftest import Invoke


def test_help_lists_the_commands(invoke: Invoke) -> None:
    listed = set(re.findall(r"^  (\w+) ", invoke("--help").stdout, re.MULTILINE))

    assert listed >= {"check", "contract", "materialize"}
