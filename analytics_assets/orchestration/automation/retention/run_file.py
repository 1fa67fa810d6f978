"""The file with the events of a run, which Dagster makes on SQLite.

Without any event it has 115 kB: a page of 4 kB for each of Dagster's tables and indexes.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

SMALL = 32 * 1024  # bytes of a file that is not worth a look
PAGE_BYTES = 512  # of a table or an index that is nearly empty
PATIENCE = 0.5  # seconds for another process that reads the file
OF_SQLITE = ("", "-wal", "-shm", "-journal")


def shrink(file: Path, kinds: Sequence[str], of_steps: Sequence[str], steps: Sequence[str]) -> None:
    """Delete the events of a run but for some kinds, and make its file small.

    A file that somebody reads is left as it is, for the next time.

    Args:
        file: the file.
        kinds: the kinds of the events that stay.
        of_steps: those that stay of some steps.
        steps: the keys of these steps.
    """
    if not file.exists() or file.stat().st_size <= SMALL:
        return
    try:
        with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as connection:
            deleted = connection.execute(
                "DELETE FROM event_logs WHERE coalesce(dagster_event_type, '') "
                "NOT IN (SELECT value FROM json_each(?)) "
                "AND NOT (coalesce(dagster_event_type, '') IN (SELECT value FROM json_each(?)) "
                "AND coalesce(step_key, '') IN (SELECT value FROM json_each(?)))",
                [json.dumps(list(each)) for each in (kinds, of_steps, steps)],
            ).rowcount
            (page_size,) = connection.execute("PRAGMA page_size").fetchone()
            if not deleted and page_size == PAGE_BYTES:  # by an earlier pass
                return
            # SQLite changes the size of pages in this mode alone
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("VACUUM")
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError:  # it is locked
        return


def remove(file: Path) -> None:
    """Remove the file of a run."""
    for suffix in OF_SQLITE:
        file.with_name(file.name + suffix).unlink(missing_ok=True)
