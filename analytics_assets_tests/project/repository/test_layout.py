"""The layout: small folders, short files, docstrings that name their subject."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from analytics_assets_tests.conftest import ROOT

MOST_ENTRIES = 12  # of a folder, besides `__init__.py` and `conftest.py`
MOST_LINES = 300  # of a file
BY_PYTHON = ("__init__.py", "conftest.py")
OPENERS = re.compile(r"(what|how|where|which|whether|say|tell|give|hold|let|have)\b", re.I)
METAPHORS = re.compile(r"\b(mends?|mended|is told|has come|goes on|of which|sees to it)\b")


def sources() -> Iterator[Path]:
    """Yield the files of the package and of its tests."""
    for package in ("analytics_assets", "analytics_assets_tests"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def modules() -> list[Path]:
    """Return the Python files of the package and of its tests."""
    return [path for path in sources() if path.suffix == ".py"]


def shown(path: Path) -> str:
    """Return a path below the project's folder."""
    return str(path.relative_to(ROOT))


def test_no_folder_has_too_many_entries() -> None:
    entries: dict[Path, set[str]] = {}
    for path in sources():
        for folder in (path, *path.parents):
            if folder == ROOT:
                break
            entries.setdefault(folder.parent, set()).add(folder.name)
    counts = {shown(folder): len(names - set(BY_PYTHON)) for folder, names in entries.items()}
    del counts["."]
    assert {folder: count for folder, count in counts.items() if count > MOST_ENTRIES} == {}


def test_no_file_is_too_long() -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for path in modules()}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_no_two_files_of_a_folder_differ_by_an_s() -> None:
    paths = {path.with_suffix("") for path in modules()}
    assert [shown(path) for path in paths if path.with_name(f"{path.name}s") in paths] == []


def test_no_docstring_opens_with_a_question_or_an_order_to_speak() -> None:
    found = [
        f"{shown(path)}: {text.splitlines()[0]}"
        for path in modules()
        for text in docstrings(ast.parse(path.read_text()))
        if OPENERS.match(text)
    ]
    assert found == []


def test_no_module_speaks_in_metaphors() -> None:
    found = [
        f"{shown(path)}:{number}: {line.strip()}"
        for path in modules()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if METAPHORS.search(line)
    ]
    assert found == []


def docstrings(tree: ast.Module) -> Iterator[str]:
    """Yield the docstrings of a module, its classes and its functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from filter(None, [ast.get_docstring(node)])
