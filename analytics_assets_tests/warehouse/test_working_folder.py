"""Working folders: one for each load, removed with it, and abandoned ones removed by a later load.

A folder that is removed under a living load would lose the rows that it has read.
"""

import os
import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest

from analytics_assets.warehouse.working_folder import working_folder

OLD, RECENT = timedelta(days=7, minutes=1), timedelta(days=6)


def abandoned(parent: Path) -> Path:
    """Leave a working folder behind, as a killed process does."""
    with working_folder(parent, "load") as folder:
        (folder / "package").mkdir()
        (folder / "package" / "rows").write_text("not loaded yet")
        left = folder.with_name(f"left_behind_{folder.name}")
        shutil.copytree(folder, left)
    return left


def age(*paths: Path, by: timedelta = OLD) -> None:
    changed = time.time() - by.total_seconds()
    for path in paths:
        os.utime(path, (changed, changed))


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


def test_a_folder_is_removed_by_a_later_load_once_nothing_in_it_has_changed_for_a_week(
    tmp_path: Path,
) -> None:
    left = abandoned(tmp_path)
    rows = left / "package" / "rows"
    age(rows, by=RECENT)
    age(left, left / "package")
    with working_folder(tmp_path, "load") as own:
        assert sorted(tmp_path.iterdir()) == sorted([left, own])
    age(rows)
    with working_folder(tmp_path, "load") as own:
        assert list(tmp_path.iterdir()) == [own]


def test_the_folders_of_other_pipelines_stay(tmp_path: Path) -> None:
    folder = tmp_path / "analytics_page_views"
    folder.mkdir()
    age(folder)
    with working_folder(tmp_path, "load"):
        pass
    assert list(tmp_path.iterdir()) == [folder]
