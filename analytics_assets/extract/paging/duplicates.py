"""The rows that a read has seen, as two hashes each, so that millions can be told apart."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analytics_assets.extract.paging import hash_store
from analytics_assets.extract.paging.hash_store import HashFile

if TYPE_CHECKING:
    import pyarrow as pa

MOST_AT_HAND = 100_000  # keys that are looked up without going through all


@dataclass
class Duplicates:
    """What rows that share their key have in common.

    Args:
        keys: the hashes of those keys.
        rows: how many rows came under a key that had come before.
        same: how many of those had come on an earlier page, and were the same there.
        restated: how many had come on an earlier page, and were different there.
    """

    keys: set[int] = field(default_factory=set)
    rows: int = 0
    same: int = 0
    restated: int = 0


class RowIndex:
    """The rows of one pass, as hashes of their keys and of their contents, page by page.

    Two keys may share a hash. They then count as one restated row, which costs another pass and
    loses nothing.
    """

    def __init__(self) -> None:
        self._keys = HashFile()
        self._contents = HashFile()
        self._pages: list[int] = []
        self._at_hand: set[int] = set()
        self._thinned = 0  # only keys without any of these bits are at hand

    def __len__(self) -> int:
        """Return how many rows were seen."""
        return len(self._keys)

    def add(self, keys: Sequence[int], contents: Sequence[int]) -> None:
        """Take notice of the rows of a page.

        Args:
            keys: hashes of their keys, of 64 bits with sign.
            contents: hashes of the rows.
        """
        self._pages.append(len(self._keys))
        self._keys.extend(keys)
        self._contents.extend(contents)
        self._at_hand.update(self._some_of(keys))
        while len(self._at_hand) > MOST_AT_HAND:
            self._thinned = self._thinned * 2 + 1
            self._at_hand = set(self._some_of(self._at_hand))

    def knows(self, keys: Sequence[int]) -> bool:
        """Tell whether all of these keys had come before; may take some pages to notice."""
        some = set(self._some_of(keys))
        if not (self._at_hand.issuperset(some) and (some or not self._thinned)):
            return False
        if not self._thinned:
            return True
        import pyarrow as pa
        import pyarrow.compute as pc

        unknown = pa.array(keys, pa.int64())
        for known in self._keys.slices():
            unknown = unknown.filter(pc.invert(pc.is_in(unknown, value_set=known)))
        return not len(unknown)

    def _some_of(self, keys: Sequence[int] | set[int]) -> Sequence[int] | set[int]:
        return [key for key in keys if not key & self._thinned] if self._thinned else keys

    def duplicates(self) -> Duplicates:
        """Find the rows that share their key with others."""
        found = Duplicates()
        earlier, page, number = dict[int, int](), dict[int, int](), 0
        for place in self._places_of_shared_keys():
            if bisect_right(self._pages, place) != number:
                number = bisect_right(self._pages, place)
                earlier, page = earlier | page, {}
            key, content = self._keys[place], self._contents[place]
            if key in earlier or key in page:
                found.keys.add(key)
                found.rows += 1
            if key in earlier:
                found.same += earlier[key] == content
                found.restated += earlier[key] != content
            page[key] = content
        return found

    def _places_of_shared_keys(self) -> Iterator[int]:
        if len(self._at_hand) == len(self._keys):
            return
        import pyarrow as pa
        import pyarrow.compute as pc

        shared = pa.concat_arrays(self._shared_keys())
        begin = 0
        for keys in self._keys.slices() if len(shared) else ():
            for place in pc.indices_nonzero(pc.is_in(keys, value_set=shared)).to_pylist():
                yield begin + place
            begin += len(keys)

    def _shared_keys(self) -> Iterator["pa.Array"]:
        """Find the keys that came more than once, by their last bits to save memory."""
        import pyarrow as pa
        import pyarrow.compute as pc

        bits = 2 ** (len(self._keys) // hash_store.SLICE).bit_length() - 1
        for last_bits in range(bits + 1):
            keys = pa.concat_arrays(
                part.filter(pc.equal(pc.bit_wise_and(part, bits), last_bits))
                for part in self._keys.slices()
            )
            in_order = keys.take(pc.array_sort_indices(keys))
            yield in_order[1:].filter(pc.equal(in_order[1:], in_order[:-1])).unique()

    def same_as(self, other: "RowIndex") -> bool:
        """Tell whether both saw the same rows last under each key, whatever their order."""
        return bool(self._last_forms().equals(other._last_forms()))

    def _last_forms(self) -> "pa.Table":
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = pa.table({"key": self._keys.whole(), "content": self._contents.whole()})
        rows = rows.combine_chunks()
        in_order = rows.take(pc.array_sort_indices(rows["key"]))  # is stable
        keys = in_order["key"]
        goes_on = pc.equal(keys[:-1], keys[1:]).combine_chunks()
        is_last = pa.concat_arrays([pc.invert(goes_on), pa.array([True])]) if len(rows) else []
        return in_order.filter(is_last) if len(rows) else rows
