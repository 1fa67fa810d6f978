"""Hashes in the order in which they came: in memory as far as they are few, else in a file."""

from array import array
from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SIZE = 8  # bytes of a hash
SLICE = 1_000_000  # hashes that are held in memory at a time


class HashFile:
    """A list of hashes, of 64 bits with sign, that grows at its end."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=SLICE * SIZE)  # noqa: SIM115  # is not shared
        self._count = 0

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    def __getitem__(self, place: int) -> int:
        """Return the one at a place, from 0 on."""
        self._file.seek(place * SIZE)
        return array("q", self._file.read(SIZE))[0]

    def extend(self, hashes: Sequence[int]) -> None:
        """Add some at the end."""
        self._file.seek(self._count * SIZE)
        self._file.write(array("q", hashes).tobytes())
        self._count += len(hashes)

    def slices(self) -> Iterator["pa.Array"]:
        """Go through all of them, at most `SLICE` at a time."""
        import pyarrow as pa

        for begin in range(0, self._count, SLICE):
            self._file.seek(begin * SIZE)
            data = self._file.read(SLICE * SIZE)
            yield pa.Array.from_buffers(pa.int64(), len(data) // SIZE, [None, pa.py_buffer(data)])

    def whole(self) -> "pa.ChunkedArray":
        """Return all of them, in memory."""
        import pyarrow as pa

        return pa.chunked_array(self.slices(), pa.int64())
