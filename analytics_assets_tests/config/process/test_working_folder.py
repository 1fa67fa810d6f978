"""Working folders: one for each load, removed with it; one of a killed process by the next load.

A folder that is removed under a living load would lose the rows that it has read.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analytics_assets.config.process.working_folder import OWNER, working_folder

HOLD = """
import sys, pathlib
from analytics_assets.config.process.working_folder import working_folder
with working_folder(pathlib.Path(sys.argv[1]), "load") as folder:
    (folder / "package").mkdir()
    (folder / "package" / "rows").write_text("not loaded yet")
    print(folder, flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process(parent: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process with a working folder, and the folder."""
    command = [sys.executable, "-c", HOLD, str(parent)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_each_load_has_a_folder_of_its_own_which_is_removed_with_it(tmp_path: Path) -> None:
    parent = tmp_path / "pipelines"
    with working_folder(parent, "load") as one, working_folder(parent, "load") as other:
        (one / "rows").write_text("rows")
        assert sorted(parent.iterdir()) == sorted([one, other])
    assert list(parent.iterdir()) == []


def test_the_folder_is_removed_when_the_load_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="failed"), working_folder(tmp_path, "load"):
        raise ValueError("failed")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_process_is_removed_by_the_next_load(tmp_path: Path) -> None:
    with other_process(tmp_path) as (process, left):
        with working_folder(tmp_path, "load") as own:
            assert sorted(tmp_path.iterdir()) == sorted([left, own])
        assert (left / "package" / "rows").read_text() == "not loaded yet"
        process.kill()
        process.wait()
        with working_folder(tmp_path, "load") as own:
            assert list(tmp_path.iterdir()) == [own]


def test_the_folders_of_other_pipelines_stay(tmp_path: Path) -> None:
    folder = tmp_path / "analytics_page_views"
    folder.mkdir()
    (folder / OWNER).touch()
    with working_folder(tmp_path, "load"):
        pass
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_another_load_removes_meanwhile_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "gone.load").mkdir()
    (tmp_path / "gone.load" / OWNER).symlink_to(tmp_path / "nowhere" / "owner.lock")
    with working_folder(tmp_path, "load") as own:
        assert own.exists()


REPEAT = """
import sys, pathlib
from analytics_assets.config.process.working_folder import working_folder
for number in range(300):
    with working_folder(pathlib.Path(sys.argv[1]), "load") as folder:
        (folder / "rows").write_text("rows")
        assert (folder / "rows").exists()
"""


def test_processes_that_begin_at_once_leave_each_others_folders_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", REPEAT, str(tmp_path)]
    processes = [subprocess.Popen(command) for _ in range(4)]

    assert [process.wait() for process in processes] == [0] * 4
    assert list(tmp_path.iterdir()) == []
