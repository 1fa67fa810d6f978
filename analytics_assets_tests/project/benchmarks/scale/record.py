"""Figures that were taken, kept in a file so that a table can be made of several commands."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

BEFORE, NOW = "before", "now"


class Taken(NamedTuple):
    """The value of a figure at a size.

    Args:
        size: the size.
        before: the value of the baseline; None if it was not measured.
        now: the value of this checkout.
    """

    size: int
    before: float | None
    now: float | None


class Record:
    """The figures in a file: by measure, size, and checkout.

    Args:
        file: the file; it is written after each measurement.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}

    def add(
        self, title: str, size: int, side: str, figures: Mapping[str, float], checkout: Path
    ) -> None:
        """Keep the figures of a measurement in place of earlier ones."""
        of_size = self._kept.setdefault(title, {}).setdefault(str(size), {})
        of_size[side] = {"commit": _commit(checkout), "figures": dict(figures)}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self._kept, indent=1))

    def commits(self, side: str) -> list[str]:
        """Return the commits that were measured on a side."""
        kept = [taken.get(side) for sizes in self._kept.values() for taken in sizes.values()]
        return sorted({each["commit"] for each in kept if each})

    def series(self, title: str) -> Iterator[tuple[str, list[Taken]]]:
        """Yield each figure of a measure with its values, from the smallest size to the largest."""
        sizes = sorted((int(size), taken) for size, taken in self._kept.get(title, {}).items())
        figures = [{s: t[s]["figures"] for s in (BEFORE, NOW) if s in t} for _, t in sizes]
        names = dict.fromkeys(name for sides in figures for side in sides.values() for name in side)
        for name in names:
            values = [
                [sides.get(side, {}).get(name) for side in (BEFORE, NOW)] for sides in figures
            ]
            yield (
                name,
                [
                    Taken(size, *each)
                    for (size, _), each in zip(sizes, values, strict=True)
                    if any(value is not None for value in each)
                ],
            )


def slope(series: list[Taken], side: str, step: int) -> float | None:
    """Return the growth of a figure by a step, from the smallest size to the largest."""
    known = [(each.size, getattr(each, side)) for each in series]
    known = [(size, value) for size, value in known if value is not None]
    if len(known) < 2:
        return None
    (first, at_first), (last, at_last) = known[0], known[-1]
    return float((at_last - at_first) / (last - first) * step)


def _commit(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
