"""A read-only file system, as containers have it: one folder that can be written is enough."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from analytics_assets_tests.conftest import ROOT

# all is read-only but one folder, an empty one in memory
READ_ONLY = """
mount -t tmpfs tmpfs "$0" && cp "$1" "$0" && shift && mount -o remount,ro,bind / &&
    for folder in /tmp /var /dev/shm; do
        mountpoint -q $folder && { mount -o remount,ro,bind $folder || exit 1; }
    done
cd "$1" && shift && exec "$@"
"""
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
COMMAND = [sys.executable, "-m", "analytics_assets.cli.main", "materialize", "page_views"]


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ("", "page_views"),
        ("PIPELINES_DIR", "/.dlt/pipelines cannot be written: Read-only file system. Name another "
         "folder by the setting `pipelines_dir` (`PIPELINES_DIR`)"),
        ("DAGSTER_HOME", "/.dagster cannot be written: Read-only file system. Name another folder "
         "by DAGSTER_HOME, or by `base_dir` in its `dagster.yaml`"),
        ("DESTINATION__DUCKDB__CREDENTIALS", "Cannot open file \"{}/warehouse.duckdb\": Read-only "
         "file system. Give this user the right to read and write the file and its folder, or "
         "name another file in `destination.duckdb.credentials`"),
        ("TMPDIR", "There is no folder for temporary files: No usable temporary directory found"),
    ],
)  # fmt: skip
def test_each_folder_that_is_written_is_a_setting_that_the_error_names(
    clean_place: Path, left_out: str, message: str
) -> None:
    writable, project = clean_place / "writable", clean_place / "project"
    writable.mkdir()
    project.mkdir()
    (project / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    places = {
        "DAGSTER_HOME": str(writable),
        "PIPELINES_DIR": str(writable / "pipelines"),
        "DESTINATION__DUCKDB__CREDENTIALS": str(writable / "other.duckdb"),
        "TMPDIR": str(writable),
    }
    environment = {name: value for name, value in os.environ.items() if name not in places}
    named = {name: value for name, value in places.items() if name != left_out}

    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", READ_ONLY, writable, project / "dagster.yaml", project, *COMMAND],
        env={**environment, **named, "HOME": str(project), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert message.format(project) in done.stdout + done.stderr
    assert done.returncode == int(left_out != ""), done.stderr
    assert "Traceback" not in done.stderr
