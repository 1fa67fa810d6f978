"""Duplicates among the rows of a read, found by a hash of the key of each row."""

import weakref
from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analytics_assets.config.process.working_folder import working_folder
from analytics_assets.config.settings.look_up import pipelines_dir

if TYPE_CHECKING:
    import duckdb

SAMPLE = 100_000  # keys to look up without a query
MAX_IN_MEMORY = 1_000_000  # rows; more are moved to a table
MAX_IN_QUERY = 2_000_000  # rows; DuckDB 2.0 runs out of memory when it groups 20,000,000
FETCH_ROWS = 10_000  # rows at a time
MEMORY_LIMIT = "64MB"  # of the table and its queries; more is written to files

CREATE = "CREATE TABLE rows (key BIGINT)"
SHARED = """
    SELECT rowid, key FROM rows SEMI JOIN (
        SELECT key FROM rows WHERE key & $mask = $bits GROUP BY key HAVING count(*) > 1
    ) USING (key)
    ORDER BY rowid
"""
KNOWN = "SELECT count(DISTINCT key) FROM rows SEMI JOIN asked USING (key)"


# returns the places and hashes of rows: of those at some places, or of all
Contents = Callable[[Collection[int] | None], Iterable[tuple[int, int]]]


@dataclass
class Duplicates:
    """The rows that share their key with an earlier row.

    Args:
        places: the places of all rows with such a key, in order, by the hash of the key.
        rows: the number of those rows.
        same: the number of those that were on an earlier page with the same content.
        restated: the number of those that were on an earlier page with another content.
        contents: a hash of the last content of each key.
    """

    places: dict[int, list[int]] = field(default_factory=dict)
    rows: int = 0
    same: int = 0
    restated: int = 0
    contents: dict[int, int | None] = field(default_factory=dict)


class KeyIndex:
    """The keys of the rows of one pass, as hashes, page by page.

    They are in memory up to `MAX_IN_MEMORY`; the others are in a temporary table of DuckDB, which
    writes to files beyond its memory limit.

    Two keys may have the same hash. They then count as one restated row, which costs another pass
    and loses nothing.
    """

    def __init__(self) -> None:
        self._keys = array("q")
        self._database: duckdb.DuckDBPyConnection | None = None
        self._in_table = self._sum = 0
        self._pages: list[int] = []
        self._sample: set[int] = set()
        self._mask = 0  # the sample has only keys without any of these bits

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._in_table + len(self._keys)

    def add(self, keys: Sequence[int]) -> bool:
        """Add the rows of a page.

        Args:
            keys: hashes of their keys, of 64 bits with sign.

        Returns:
            True if all of these keys were added before; may be True some pages late.
        """
        sampled, before = self._sampled(keys), len(self._sample)
        self._sample.update(sampled)
        may_be_known = len(self._sample) == before and bool(sampled or not self._mask)
        are_known = may_be_known and self._has_all(keys)
        self._pages.append(len(self))
        self._keys.extend(keys)
        if len(self._keys) >= MAX_IN_MEMORY:
            self._move_to_table()
        while len(self._sample) > SAMPLE:
            self._mask = self._mask * 2 + 1
            self._sample = set(self._sampled(self._sample))
        return are_known

    def contains_all(self, keys: Sequence[int]) -> bool:
        """Return True if all of these keys were added before; may be True some pages late."""
        sampled = set(self._sampled(keys))
        may_be_known = self._sample.issuperset(sampled) and (sampled or not self._mask)
        return bool(may_be_known) and self._has_all(keys)

    def _has_all(self, keys: Sequence[int]) -> bool:
        """Return True if all of these keys were added, given that those in the sample were."""
        if not self._mask:
            return True
        import pyarrow as pa

        database = self._move_to_table()
        database.register("asked", pa.table({"key": pa.array(keys, pa.int64())}))
        ((known,),) = database.execute(KNOWN).fetchall()
        database.unregister("asked")
        return bool(known == len(set(keys)))

    def _sampled(self, keys: Sequence[int] | set[int]) -> Sequence[int] | set[int]:
        return [key for key in keys if not key & self._mask] if self._mask else keys

    def duplicates(self, contents: Contents) -> Duplicates:
        """Find the rows that share their key with an earlier row.

        Args:
            contents: returns the contents of the rows at some places.
        """
        found = Duplicates()
        if len(self._sample) == len(self):
            return found
        shared = list(self._shared())
        content_at = dict(contents({place for place, _ in shared})) if shared else {}
        earlier, page, number = dict[int, int | None](), dict[int, int | None](), 0
        for place, key in shared:
            content = content_at.get(place)
            if bisect_right(self._pages, place) != number:
                number = bisect_right(self._pages, place)
                earlier.update(page)
                page.clear()
            found.places.setdefault(key, []).append(place)
            found.rows += key in earlier or key in page
            if key in earlier:
                found.same += earlier[key] == content
                found.restated += earlier[key] != content
            page[key] = content
        found.contents = {**earlier, **page}
        return found

    def digest(self, duplicates: Duplicates) -> tuple[int, dict[int, int | None]]:
        """Return what is the same for another pass with the same rows in any order.

        Args:
            duplicates: those of this pass.

        Returns:
            The sum of the keys, each counted once, and the contents of those that rows share.
        """
        counted = self._sum + sum(self._keys)
        again = sum(key * (len(places) - 1) for key, places in duplicates.places.items())
        return counted - again, duplicates.contents

    def _shared(self) -> Iterator[tuple[int, ...]]:
        """Yield the places and keys of the rows that share a key, in order of a key's places."""
        if len(self) <= SAMPLE:
            once, shared = set[int](), set[int]()
            for key in self._keys:
                (shared if key in once else once).add(key)
            yield from ((place, key) for place, key in enumerate(self._keys) if key in shared)
            return
        database = self._move_to_table()
        # one part of the keys after another
        mask = 2 ** (len(self) // MAX_IN_QUERY).bit_length() - 1
        for bits in range(mask + 1):
            found = database.execute(SHARED, {"mask": mask, "bits": bits})
            while some := found.fetchmany(FETCH_ROWS):
                yield from some

    def _move_to_table(self) -> "duckdb.DuckDBPyConnection":
        """Move the rows in memory to the table, and return its database."""
        import pyarrow as pa

        if self._database is None:
            self._database = self._open()
        keys = [None, pa.py_buffer(self._keys)]
        arrived = pa.Array.from_buffers(pa.int64(), len(self._keys), keys)
        self._database.register("arrived", pa.table({"key": arrived}))
        self._database.execute("INSERT INTO rows SELECT key FROM arrived")
        self._database.unregister("arrived")
        self._in_table += len(self._keys)
        self._sum += sum(self._keys)
        self._keys = array("q")
        return self._database

    def _open(self) -> "duckdb.DuckDBPyConnection":
        import duckdb

        stack = ExitStack()
        weakref.finalize(self, stack.close)
        folder = stack.enter_context(working_folder(pipelines_dir(), "keys"))
        # each thread takes memory
        database = duckdb.connect(
            config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(folder), "threads": 1}
        )
        database.execute(CREATE)
        return database
