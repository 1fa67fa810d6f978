"""The API's responses, one file per page, so that serving them costs next to nothing."""

import json
import random
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

ROWS_PER_PAGE = 100
LAST_PAGE = "end.json"
FIRST_DAY = date(2025, 1, 1)
FIRST_CHANGE = datetime(2025, 1, 1)
COUNTRIES = ("BR", "CA", "DE", "FR", "GB", "IN", "JP", "PL", "TR", "US")
DEVICES = ("desktop", "mobile", "tablet")


def provide_pages(folder: Path, rows: int) -> Path:
    """Write the pages of a dataset, unless an earlier benchmark has written them.

    Args:
        folder: the parent of a folder per dataset, named by its number of rows.
        rows: number of rows of the dataset.

    Returns:
        The dataset's folder: `<offset>.json` for each page, and an empty page behind the last.
    """
    dataset = folder / str(rows)
    if dataset.exists():
        return dataset
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{rows}-", dir=folder))
    unfinished.chmod(0o755)
    chance = random.Random(rows)
    for offset in range(0, rows, ROWS_PER_PAGE):
        numbers = range(offset, min(offset + ROWS_PER_PAGE, rows))
        page = {"data": [_row(number, chance) for number in numbers], "total": rows}
        _write(unfinished / f"{offset}.json", page)
    _write(unfinished / LAST_PAGE, {"data": [], "total": rows})
    return unfinished.rename(dataset)


def read_once(dataset: Path) -> None:
    """Read all pages once, so that they are in the file cache of the system."""
    for page in dataset.iterdir():
        page.read_bytes()


def _row(number: int, chance: random.Random) -> dict[str, Any]:
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
