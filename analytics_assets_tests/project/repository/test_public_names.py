"""The public names of the package: imported on first use, all of them importable."""

import subprocess
import sys
from typing import get_args

import pytest

import analytics_assets
from analytics_assets.config.load import Load
from analytics_assets_tests.conftest import ROOT


def test_importing_the_package_imports_neither_dlt_nor_dagster() -> None:
    program = (
        "import sys, analytics_assets; print({'dlt', 'dagster'} & set(sys.modules));"
        "analytics_assets.Api; print('dlt' in sys.modules, 'dagster' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert (done.returncode, done.stdout) == (0, "set()\nTrue False\n"), done.stderr


def test_every_public_name_is_the_object_of_its_module() -> None:
    found = {name: getattr(analytics_assets, name) for name in analytics_assets.__all__}
    assert all(each.__name__ == name for name, each in found.items())
    assert {found[name] for name in ("Full", "Incremental", "Partitioned")} == set(get_args(Load))


def test_another_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Partioned'"):
        analytics_assets.Partioned  # noqa: B018
