"""Folders of settings that an environment variable names, and that are not there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from analytics_assets.config.errors import UnreachableFolderError
from analytics_assets.config.settings.providers.folders import named_folder
from analytics_assets_tests.conftest import ROOT


def test_a_folder_is_found_from_the_working_folder(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_place / "named").mkdir()
    monkeypatch.setenv("SECRETS_DIR", "named")
    assert named_folder("SECRETS_DIR") == clean_place / "named"
    monkeypatch.setenv("SECRETS_DIR", "")
    assert named_folder("SECRETS_DIR") is None


def test_a_file_is_no_folder(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean_place / "file").touch()
    monkeypatch.setenv("SECRETS_DIR", "file")
    with pytest.raises(UnreachableFolderError, match="Not a directory"):
        named_folder("SECRETS_DIR")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("SECRETS_DIR", ["analytics_assets.cli.main", "check"]),
        ("DLT_PROJECT_DIR", ["dagster", "definitions", "validate"]),
    ],
)
def test_a_folder_that_is_not_there_is_named_with_its_variable(
    name: str, command: list[str], clean_place: Path
) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "DAGSTER_HOME": str(clean_place), name: str(clean_place / "none")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 1
    assert (
        f"The environment variable {name} names the folder {clean_place}/none, which cannot be "
        "used: No such file or directory. Make or mount it there, so that the user of the process "
        "can read it, name another one, or remove the variable."
    ) in ran.stderr + ran.stdout
