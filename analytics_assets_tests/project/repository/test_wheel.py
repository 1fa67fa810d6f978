"""The wheel: all of the package and none of the tests, and it works without the repository."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from analytics_assets_tests.conftest import ROOT

BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
START = """
import analytics_assets
from analytics_assets.definitions import definitions
print(analytics_assets.__file__, len(list(definitions().resolve_all_asset_specs())))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this repository, built in a copy, which gets the files of the build."""
    copy, built = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("built")
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in ("analytics_assets", "analytics_assets_tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignore)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, copy)
    command = [sys.executable, "-c", BUILD, str(built)]
    subprocess.run(command, cwd=copy, check=True, capture_output=True, timeout=600)
    [file] = built.glob("*.whl")
    return zipfile.ZipFile(file)


def test_it_has_all_files_of_the_package_and_no_test(wheel: zipfile.ZipFile) -> None:
    package = [path for path in (ROOT / "analytics_assets").rglob("*") if path.is_file()]
    expected = {str(path.relative_to(ROOT)) for path in package if "__pycache__" not in path.parts}
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected


def test_it_loads_the_definitions_in_any_folder(
    wheel: zipfile.ZipFile, tmp_path: Path, clean_place: Path
) -> None:
    wheel.extractall(tmp_path / "site")
    done = subprocess.run(
        [sys.executable, "-c", START],
        cwd=clean_place,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    place, assets = done.stdout.split()
    assert place.startswith(str(tmp_path / "site"))
    assert int(assets) > 5
