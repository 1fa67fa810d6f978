"""Duplicates among the rows of a read, found by two hashes of each row."""

import shutil
import tempfile
import weakref
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

SAMPLE = 100_000  # keys to look up without a query
MAX_IN_MEMORY = 1_000_000  # rows; more are moved to a table
MAX_IN_QUERY = 2_000_000  # rows; DuckDB 2.0 runs out of memory when it groups 20,000,000
FETCH_ROWS = 10_000  # rows at a time
MEMORY_LIMIT = "64MB"  # of the table and its queries; more is written to files

CREATE = "CREATE TABLE rows (key BIGINT, content BIGINT)"
SHARED = """
    SELECT rowid, key, content FROM rows SEMI JOIN (
        SELECT key FROM rows WHERE key & $mask = $bits GROUP BY key HAVING count(*) > 1
    ) USING (key)
    ORDER BY rowid
"""
KNOWN = "SELECT count(DISTINCT key) FROM rows SEMI JOIN asked USING (key)"
# does not depend on the order of rows
DIGEST = """
    SELECT count(*), coalesce(sum(hash(key, content)::HUGEINT), 0)
    FROM (
        SELECT key, arg_max(content, rowid) AS content FROM rows
        WHERE key & $mask = $bits GROUP BY key
    )
"""


@dataclass
class Duplicates:
    """The rows that share their key with an earlier row.

    Args:
        places: the places of all rows with such a key, in order, by the hash of the key.
        rows: the number of those rows.
        same: the number of those that were on an earlier page with the same content.
        restated: the number of those that were on an earlier page with another content.
    """

    places: dict[int, list[int]] = field(default_factory=dict)
    rows: int = 0
    same: int = 0
    restated: int = 0


class RowIndex:
    """The rows of one pass, as hashes of their keys and of their contents, page by page.

    They are in memory up to `MAX_IN_MEMORY`; the others are in a temporary table of DuckDB, which
    writes to files beyond its memory limit.

    Two keys may have the same hash. They then count as one restated row, which costs another pass
    and loses nothing.
    """

    def __init__(self) -> None:
        self._keys, self._contents = array("q"), array("q")
        self._database: duckdb.DuckDBPyConnection | None = None
        self._in_table = 0
        self._pages: list[int] = []
        self._sample: set[int] = set()
        self._mask = 0  # the sample has only keys without any of these bits

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._in_table + len(self._keys)

    def add(self, keys: Sequence[int], contents: Sequence[int]) -> bool:
        """Add the rows of a page.

        Args:
            keys: hashes of their keys, of 64 bits with sign.
            contents: hashes of the rows, alike.

        Returns:
            True if all of these keys were added before; may be True some pages late.
        """
        sampled, before = self._sampled(keys), len(self._sample)
        self._sample.update(sampled)
        may_be_known = len(self._sample) == before and bool(sampled or not self._mask)
        are_known = may_be_known and self._has_all(keys)
        self._pages.append(len(self))
        self._keys.extend(keys)
        self._contents.extend(contents)
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

    def duplicates(self) -> Duplicates:
        """Find the rows that share their key with an earlier row."""
        found = Duplicates()
        if len(self._sample) == len(self):
            return found
        earlier, page, number = dict[int, int](), dict[int, int](), 0
        for place, key, content in self._shared():
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
        return found

    def _shared(self) -> Iterator[tuple[int, ...]]:
        """Yield place, key and content of the rows that share a key, those of a key in order."""
        if len(self) <= SAMPLE:
            once, shared = set[int](), set[int]()
            for key in self._keys:
                (shared if key in once else once).add(key)
            rows = enumerate(zip(self._keys, self._contents, strict=True))
            yield from ((place, *row) for place, row in rows if row[0] in shared)
            return
        yield from self._query(SHARED)

    def same_as(self, other: "RowIndex") -> bool:
        """Return True if the last row of each key is the same in both, whatever their order."""
        if max(len(self), len(other)) <= SAMPLE:
            return self._last_rows() == other._last_rows()
        return self._digest() == other._digest()

    def _last_rows(self) -> dict[int, int]:
        return dict(zip(self._keys, self._contents, strict=True))

    def _digest(self) -> tuple[int, int]:
        keys = total = 0
        for count, hashes in self._query(DIGEST):
            keys, total = keys + count, total + hashes
        return keys, total

    def _query(self, query: str) -> Iterator[tuple[int, ...]]:
        """Yield the rows of a query, which is run for one part of the keys after another."""
        database = self._move_to_table()
        mask = 2 ** (len(self) // MAX_IN_QUERY).bit_length() - 1
        for bits in range(mask + 1):
            found = database.execute(query, {"mask": mask, "bits": bits})
            while some := found.fetchmany(FETCH_ROWS):
                yield from some

    def _move_to_table(self) -> "duckdb.DuckDBPyConnection":
        """Move the rows in memory to the table, and return its database."""
        import pyarrow as pa

        if self._database is None:
            self._database = self._open()
        columns = {
            name: pa.Array.from_buffers(pa.int64(), len(hashes), [None, pa.py_buffer(hashes)])
            for name, hashes in (("key", self._keys), ("content", self._contents))
        }
        self._database.register("arrived", pa.table(columns))
        self._database.execute("INSERT INTO rows SELECT key, content FROM arrived")
        self._database.unregister("arrived")
        self._in_table += len(self._keys)
        self._keys, self._contents = array("q"), array("q")
        return self._database

    def _open(self) -> "duckdb.DuckDBPyConnection":
        import duckdb

        folder = tempfile.mkdtemp(prefix="analytics_assets-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        # each thread takes memory
        database = duckdb.connect(
            config={"memory_limit": MEMORY_LIMIT, "temp_directory": folder, "threads": 1}
        )
        database.execute(CREATE)
        return database
