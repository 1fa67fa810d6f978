"""Working folders: one for each load, gone with it, and those of dead processes gone with the next.

A folder that is removed under a living load would lose what that has read.
"""

import os
import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest

from analytics_assets.warehouse import working_folder as room
from analytics_assets.warehouse.working_folder import remove_dead_folders, working_folder
from analytics_assets_tests.support.holding import holding

WORK = """
from pathlib import Path
from analytics_assets.warehouse.working_folder import working_folder
with working_folder(Path(sys.argv[1]), "load") as folder:
    (folder / "package").mkdir()
    (folder / "package" / "rows").write_text("not loaded yet")
    hold()
"""


def folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir())


def test_a_load_has_a_folder_of_its_own_which_goes_with_it(tmp_path: Path) -> None:
    parent = tmp_path / "pipelines"
    with working_folder(parent, "load") as one, working_folder(parent, "load") as other:
        (one / "rows").write_text("rows")
        assert folders(parent) == sorted([one, other])
    assert list(parent.iterdir()) == []


def test_a_folder_goes_when_the_load_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="failed"), working_folder(tmp_path, "load"):
        raise ValueError("failed")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_living_process_stays_and_that_of_a_killed_one_goes(tmp_path: Path) -> None:
    with holding(WORK, str(tmp_path)) as process:
        (theirs,) = folders(tmp_path)
        with working_folder(tmp_path, "load") as own:
            assert folders(tmp_path) == sorted([theirs, own])
        process.kill()
        process.wait()
        with working_folder(tmp_path, "load") as own:
            assert folders(tmp_path) == [own]
    assert list(tmp_path.iterdir()) == []


def test_what_another_machine_left_on_a_shared_disk_stays_for_a_week(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(room, "this_machine", lambda: "another machine")
        with working_folder(tmp_path / "there", "load") as folder:
            (folder / "package").mkdir()
            theirs = tmp_path / folder.name
            shutil.copytree(tmp_path / "there", tmp_path, dirs_exist_ok=True)
    (tmp_path / "there").rmdir()
    assert remove_dead_folders(tmp_path) == []
    last_week = time.time() - timedelta(days=7, minutes=1).total_seconds()
    places = [theirs, theirs / "package", theirs.with_name(theirs.name + ".in_use")]
    for place in places[1:]:
        os.utime(place, (last_week, last_week))
    assert remove_dead_folders(tmp_path) == []  # something in it is newer
    os.utime(places[0], (last_week, last_week))
    assert remove_dead_folders(tmp_path) == [theirs]
    assert list(tmp_path.iterdir()) == []


def test_folders_that_are_no_loads_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "analytics_page_views").mkdir()
    assert remove_dead_folders(tmp_path) == []
    assert folders(tmp_path) == [tmp_path / "analytics_page_views"]
