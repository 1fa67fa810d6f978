"""The proof that a read is complete: the rows that arrived, compared with the API's total."""

import json
from collections.abc import Callable, Hashable, Sequence
from hashlib import blake2b
from typing import Any, NoReturn

from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.paging.duplicates import Duplicates, RowIndex
from analytics_assets.extract.rows.hashing import json_hashes


class IncompleteReadError(ApiError):
    """The API did not give all rows; nothing of the read is loaded."""


class Proof:
    """Counts the pages of a resource, and proves that none of its rows is missing.

    A pass is one read from the first page to the last. It is consistent if as many rows arrived
    as the API's total, the total stayed the same, and no row was on two pages. Otherwise, the
    resource is read again.

    Two different rows with one key may be one row that was restated between two pages, or two rows
    of the API. They are two rows if another pass brings the same.

    Args:
        resource: the resource, for errors.
        key: the fields that identify a row; without them only whole pages are compared.
        passes: the most passes.
        confirm: True to accept a read only if two passes in a row brought the same rows. It finds
            a change that no total shows: one row deleted and another added during the pass.
        contents: hashes whole rows, to find those that were restated.
    """

    def __init__(
        self,
        resource: str,
        key: Sequence[str],
        passes: int,
        confirm: bool = False,
        contents: Callable[[Sequence[Any]], list[int]] = json_hashes,
    ) -> None:
        self.resource = resource
        self.key = tuple(key)
        self.passes = passes
        self.confirm = confirm
        self._contents = contents
        self.number = 0
        self._rows = RowIndex()
        self.begin()

    def begin(self) -> None:
        """Start another pass."""
        self.number += 1
        self.received = self._pages_with_rows = 0
        self._ends_empty = False
        self.total: int | None = None
        self.duplicates = Duplicates()
        self.inconsistency = ""
        self._is_circular = False
        self._rows_before, self._rows = self._rows, RowIndex()
        self._page_before: Hashable = None
        self._pages: set[int] = set()

    def for_next_read(self) -> "Proof":
        """Return the proof of another read of the same resource."""
        return Proof(self.resource, self.key, self.passes, self.confirm, self._contents)

    @property
    def can_be_abandoned(self) -> bool:
        """True if the pass can be abandoned."""
        # the last pass is read to its end, for the numbers in its error
        return self._is_circular or bool(self.inconsistency and self.number < self.passes)

    def key_of(self, row: Any) -> Hashable:
        """Return the key of a row; None if a part of it is missing."""
        try:
            parts = tuple(row[field] for field in self.key)
            hash(parts)
        except (KeyError, TypeError, IndexError):
            return None
        return None if None in parts else parts

    def is_duplicate(self, key: Hashable) -> bool:
        """Return True if several rows of this pass have the key; known after its end."""
        return key is not None and _hash_of(key) in self.duplicates.keys

    def repeats(self, rows: Sequence[Any]) -> bool:
        """Return True if these are the rows of the page before."""
        return bool(rows) and _identity(self._keys_of(rows), rows) == self._page_before

    def repeats_keys(self, keys: Sequence[Hashable]) -> bool:
        """Return True if these are the keys of the page before."""
        return tuple(keys) == self._page_before

    def contains(self, rows: Sequence[Any]) -> bool:
        """Return True if all of these rows, if any, arrived before."""
        keys = self._keys_of(rows) if rows else []
        if not self.key and rows:
            keys = [_identity(keys, rows)]
        return None not in keys and self._rows.contains_all(_hashes_of(keys))

    def _keys_of(self, rows: Sequence[Any]) -> list[Hashable]:
        """Return the key of each row; a key of one field is the field."""
        if not self.key:
            return [None] * len(rows)
        if len(self.key) == 1:
            try:
                keys = [row[self.key[0]] for row in rows]
            except (KeyError, TypeError, IndexError):
                keys = [None]
            if set(map(type, keys)) <= {str, int}:
                return keys
        return [self.key_of(row) for row in rows]

    def add(self, rows: Sequence[Any], total: int | None) -> None:
        """Count a page, and set `inconsistency` if the pass is not consistent so far.

        Args:
            rows: the page's rows.
            total: the number of all rows, if the page has it.

        Raises:
            IncompleteReadError: the rows are those of the page before.
        """
        keys = self._keys_of(rows)
        self._check(_identity(keys, rows) if rows else None, total)
        if not rows:
            return
        # the contract rejects rows without a key, so there is nothing to compare
        keyed = [(key, row) for key, row in zip(keys, rows, strict=True) if key is not None]
        hashes = _hashes_of([key for key, _ in keyed] if self.key else [self._page_before])
        contents = self._contents([row for _, row in keyed]) if self.key else [0]
        self._index(hashes, contents, len(keyed) == len(rows) or not self.key)
        self.received += len(rows)

    def add_keyed(
        self, keys: Sequence[Hashable], contents: Sequence[int], total: int | None
    ) -> None:
        """Count a page that is given by the keys and hashes of its rows.

        Args:
            keys: the key of each row; a key of one field is the field.
            contents: the hash of each row, as the proof's `contents` makes it.
            total: the number of all rows, if the page has it.
        """
        self._check(tuple(keys), total)
        self._index(_hashes_of(keys), contents, True)
        self.received += len(keys)

    def _check(self, identity: Hashable, total: int | None) -> None:
        self._pages_with_rows += identity is not None
        self._ends_empty = identity is None
        if identity is not None and identity == self._page_before:
            self.refuse_repetition()
        if total is not None and self.total not in (None, total):
            self.inconsistency = f"its total changed from {self.total} to {total} while it was read"
        self.total = self.total if total is None else total
        self._page_before = self._page_before if identity is None else identity

    def refuse_repetition(self) -> NoReturn:
        """Fail because a page has the rows of the page before it.

        Raises:
            IncompleteReadError: always.
        """
        raise IncompleteReadError(
            f"{self.resource}: the page at offset {self.received} has the rows of the page "
            "before it; the API seems to ignore the paging parameters. Check the names that "
            "`paginator` gives them, or set it to 'single_page' if there is only one page."
        )

    def refuse_same_request(self) -> NoReturn:
        """Fail because a page names itself as the next one.

        Raises:
            IncompleteReadError: always.
        """
        raise IncompleteReadError(
            f"{self.resource}: after {self.received} rows the API names the page it has just given "
            "as the next one, so that there would be no end."
        )

    def _index(self, hashes: Sequence[int], contents: Sequence[int], all_keyed: bool) -> None:
        this_page = hash(self._page_before)
        if this_page in self._pages or (all_keyed and self._rows.contains_all(hashes)):
            self.inconsistency = f"all rows at offset {self.received} had come before"
            self._is_circular = True
        self._pages.add(this_page)
        self._rows.add(hashes, contents)

    def finish(self, counted: bool = True, may_count_pages: bool = False) -> bool:
        """End the pass.

        Args:
            counted: True to compare the number of rows with the total.
            may_count_pages: True if the total may be the number of pages.

        Returns:
            True if the read is complete; False if the resource must be read again.

        Raises:
            IncompleteReadError: it is not, and this was the last pass.
        """
        pages = (self._pages_with_rows, self.pages) if may_count_pages else ()
        totals = (None, self.received, *pages)
        if not self.inconsistency and counted and self.total not in totals:
            self.inconsistency = "the rows that arrived are not as many as its total says"
        self.duplicates = self._rows.duplicates()
        if not self.inconsistency and self.duplicates.same:
            self.inconsistency = (
                f"{self.duplicates.same} rows were on two pages, so that others may have been on "
                "none (does the API sort its rows by something that tells them apart?)"
            )
        in_doubt = self.duplicates.restated or self.confirm
        if not self.inconsistency and in_doubt and not self._matches_previous_pass():
            self.inconsistency = "two passes did not bring the same rows"
        if not self.inconsistency:
            self._rows = self._rows_before = RowIndex()  # may be large, and are no longer needed
            return True
        if self.number >= self.passes:
            raise self._incomplete()
        return False

    @property
    def pages(self) -> int:
        """The number of pages; of empty ones only the last, as rows follow the others."""
        return self._pages_with_rows + self._ends_empty

    def _matches_previous_pass(self) -> bool:
        return self.number > 1 and self._rows.same_as(self._rows_before)

    def _incomplete(self) -> IncompleteReadError:
        expected = "unknown" if self.total is None else self.total
        passes = "1 pass" if self.number == 1 else f"{self.number} passes"
        none = "" if self.received else " Does `data_selector` name the place of the rows?"
        return IncompleteReadError(
            f"{self.resource}: no complete read in {passes}: {self.inconsistency}. "
            f"Expected {expected} rows, received {self.received}.{none} Does `paginator` in the "
            "entry request all pages, and does `primary_key` tell rows apart? If the API's rows "
            "change while they are read, run again when they rest, or raise `reading.passes`; if "
            "its total is not the number of all rows, set `total_path` in `paginator` to the field "
            "that is, or to None."
        )


def _identity(keys: Sequence[Hashable], rows: Sequence[Any]) -> Hashable:
    """Return the identity of a page: the keys of its rows, or a digest of the rows."""
    if None not in keys:
        return tuple(keys)
    return blake2b(json.dumps(rows, default=str).encode()).digest()


def _hashes_of(keys: Sequence[Hashable]) -> list[int]:
    if set(map(type, keys)) == {str}:
        return list(map(hash, keys))
    return [hash(key) if type(key) is str else _hash_of(key) for key in keys]


def _hash_of(key: Hashable) -> int:
    """Hash the text of a key: Python's hash of -1 is that of -2."""
    parts = key if isinstance(key, tuple) else (key,)
    if len(parts) == 1 and type(parts[0]) in (str, bytes):
        return hash(parts[0])
    # 1.0 is 1
    whole = (int(part) if type(part) is float and part % 1 == 0 else part for part in parts)
    return hash(repr(tuple(whole)))
