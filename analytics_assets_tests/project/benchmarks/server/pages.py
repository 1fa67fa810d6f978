"""The API's responses, one file per page, so that serving them costs next to nothing.

Each page has what any paginator needs: the total of the rows and of the pages, and the token of the
next page.
"""

import json
import random
import tempfile
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

ROWS_PER_PAGE = 100
LAST_PAGE = "end.json"
FIRST_DAY = date(2025, 1, 1)
FIRST_CHANGE = datetime(2025, 1, 1)
COUNTRIES = ("BR", "CA", "DE", "FR", "GB", "IN", "JP", "PL", "TR", "US")
DEVICES = ("desktop", "mobile", "tablet")
LIST, LONGEST_LIST = "steps", 2  # of a nested row


@dataclass(frozen=True)
class Dataset:
    """The rows of a resource.

    Args:
        rows: their number.
        nested: True if each of them has an object and a list of objects besides its flat fields.
    """

    rows: int
    nested: bool = False

    @property
    def name(self) -> str:
        """The name of its folder, and the first part of its URL's path."""
        return f"{'nested' if self.nested else 'flat'}-{self.rows}"

    @property
    def items(self) -> int:
        """Number of items in the lists of all rows."""
        return sum(map(_items, range(self.rows))) if self.nested else 0


def provide_pages(folder: Path, dataset: Dataset) -> Path:
    """Write the pages of a dataset, unless an earlier benchmark has written them.

    Args:
        folder: the parent of a folder per dataset.
        dataset: the dataset.

    Returns:
        The dataset's folder: `<offset>.json` for each page, and an empty page behind the last.
    """
    complete = folder / dataset.name
    if complete.exists():
        return complete
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{dataset.name}-", dir=folder))
    unfinished.chmod(0o755)
    chance, rows = random.Random(dataset.rows), dataset.rows
    totals = {"total": rows, "pages": -(-rows // ROWS_PER_PAGE)}
    for offset in range(0, rows, ROWS_PER_PAGE):
        end = offset + ROWS_PER_PAGE
        numbers = range(offset, min(end, rows))
        data = [_row(number, chance, dataset.nested) for number in numbers]
        token = f"after_{end}" if end < rows else None
        _write(unfinished / f"{offset}.json", {"data": data, **totals, "next": token})
    _write(unfinished / LAST_PAGE, {"data": [], **totals, "next": None})
    return unfinished.rename(complete)


def read_once(dataset: Path) -> None:
    """Read all pages once, so that they are in the file cache of the system."""
    for page in dataset.iterdir():
        page.read_bytes()


def _items(number: int) -> int:
    return number % (LONGEST_LIST + 1)


def _row(number: int, chance: random.Random, nested: bool) -> dict[str, Any]:
    row = _flat_row(number, chance)
    if nested:
        row["browser"] = {"name": f"browser_{number % 5}", "version": number % 90, "touch": False}
        row[LIST] = [
            {"path": f"/page/{chance.randint(1, 500)}", "seconds": round(chance.uniform(1, 90), 1)}
            for _ in range(_items(number))
        ]
    return row


def _flat_row(number: int, chance: random.Random) -> dict[str, Any]:
    sessions = chance.randint(1, 5000)
    return {
        "id": f"event_{number:010d}",
        "date": (FIRST_DAY + timedelta(days=number % 365)).isoformat(),
        "analytics_id": f"property_{number % 50:04d}",
        "user_key": f"{chance.getrandbits(64):016x}",
        "country": chance.choice(COUNTRIES),
        "device": chance.choice(DEVICES),
        "sessions": sessions,
        "page_views": sessions * chance.randint(1, 6),
        "bounce_rate": round(chance.random(), 4),
        "avg_session_duration": round(chance.uniform(5, 900), 2),
        "updated_at": (FIRST_CHANGE + timedelta(seconds=number)).isoformat() + "Z",
        "is_returning": chance.random() < 0.4,
    }


def _write(file: Path, page: dict[str, Any]) -> None:
    file.write_text(json.dumps(page, separators=(",", ":")), encoding="utf-8")
