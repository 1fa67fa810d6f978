"""The history of commands that start at once: where `DAGSTER_HOME` says, with a lock beside it."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.cli.instance import open_instance
from analytics_assets_tests.conftest import ROOT

OPEN = """
from analytics_assets.cli.instance import open_instance
with open_instance() as instance:
    assert instance.get_runs() == []
"""
SHIPPED = (ROOT / "dagster.yaml").read_text()


def home_in(folder: Path, settings: str = SHIPPED) -> Path:
    folder.mkdir()
    (folder / "dagster.yaml").write_text(settings)
    return folder


@pytest.mark.e2e
def test_two_first_commands_with_two_homes_in_one_folder_have_two_histories(
    clean_place: Path,
) -> None:
    homes = [home_in(clean_place / name) for name in ("one", "other")]
    commands = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN], env={**os.environ, "DAGSTER_HOME": str(home)}
        )
        for home in homes
    ]

    assert [command.wait() for command in commands] == [0, 0]
    for home in homes:
        assert (home / ".dagster" / "history" / "runs.db").exists()
        assert (home / ".dagster" / "opening.lock").exists()
    assert not (clean_place / ".dagster").exists()


@pytest.mark.parametrize(
    ("settings", "history"),
    [
        pytest.param(SHIPPED, "home/.dagster", id="the file as shipped"),
        pytest.param("", "home", id="an empty file"),
        pytest.param("storage: {sqlite: {base_dir: runs}}", "home/runs", id="Dagster's storage"),
        pytest.param(
            "storage: {sqlite: {base_dir: '{place}/runs'}}", "runs", id="an absolute folder"
        ),
    ],
)
def test_the_history_is_where_the_home_says(
    settings: str, history: str, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_in(clean_place / "home", settings.replace("{place}", str(clean_place)))
    monkeypatch.setenv("DAGSTER_HOME", str(home))

    with open_instance() as instance:
        instance.get_runs()

    assert (clean_place / history / "history" / "runs.db").exists()
    assert (clean_place / history / "opening.lock").exists()
    assert not (clean_place / ".dagster").exists()


def test_the_folder_of_a_command_without_a_history_is_removed(clean_place: Path) -> None:
    with open_instance() as instance:
        assert instance.is_ephemeral
        assert dg.DagsterInstance.get_runs(instance) == []
        (folder,) = (clean_place / "pipelines").glob("dagster-*")

    assert not folder.exists()
