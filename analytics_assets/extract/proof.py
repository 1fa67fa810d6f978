"""The proof that a read is complete: what arrived, held against what the API says it has."""

import json
from collections.abc import Hashable, Sequence
from hashlib import blake2b
from typing import Any, NoReturn

from analytics_assets.extract.response import ApiError


class IncompleteReadError(ApiError):
    """The API did not give all rows; nothing of the read is loaded."""


class Proof:
    """Watches the pages of a resource go by, and tells whether all of it was there.

    A pass is one read from the first page to the last. It is consistent if as many rows arrived
    as the API's total says, the total stayed the same, and no row was on two pages. While it is
    not, the resource is to be read again.

    Two rows with one key that differ may be one row, restated in between, or the API's own. They
    are its own if another pass brings the same.

    Args:
        resource: what is read, for errors.
        key: fields that tell rows apart; without them only whole pages are compared.
        passes: the most passes.
        confirm: whether a read counts only once two passes in a row brought the same rows. It
            finds out what no total tells: a row deleted and another added in between.
    """

    def __init__(
        self, resource: str, key: Sequence[str], passes: int, confirm: bool = False
    ) -> None:
        self.resource = resource
        self.key = tuple(key)
        self.passes = passes
        self.confirm = confirm
        self.number = 0
        self._rows: dict[Hashable, int] = {}
        self.begin()

    def begin(self) -> None:
        """Start another pass."""
        self.number += 1
        self.received = 0
        self.duplicates = 0
        self.total: int | None = None
        self.repeated: set[Hashable] = set()
        self.trouble = ""
        self._in_circles = False
        self._on_two_pages = 0  # and the same on both
        self._restated = 0
        self._rows_before, self._rows = self._rows, {}
        self._page_before: Hashable = None
        self._pages: set[int] = set()

    def anew(self) -> "Proof":
        """Return a proof of another read of the same."""
        return Proof(self.resource, self.key, self.passes, self.confirm)

    @property
    def void(self) -> bool:
        """Whether there is no use in reading this pass to its end."""
        # the last one is, for the numbers in the error
        return self._in_circles or bool(self.trouble and self.number < self.passes)

    def key_of(self, row: Any) -> Hashable:
        """Return what tells a row apart from others, None if it lacks a part of it."""
        try:
            parts = tuple(row[field] for field in self.key)
            hash(parts)
        except (KeyError, TypeError, IndexError):
            return None
        return None if None in parts else parts

    def repeats(self, rows: Sequence[Any]) -> bool:
        """Tell whether these are the rows of the page before."""
        return bool(rows) and self._identity(rows) == self._page_before

    def knows(self, rows: Sequence[Any]) -> bool:
        """Tell whether all of these rows, if any, had come before."""
        return self._rows.keys() >= set(self._keys_of(rows))

    def _keys_of(self, rows: Sequence[Any]) -> list[Hashable]:
        if not rows:
            return []
        return [self.key_of(row) for row in rows] if self.key else [self._identity(rows)]

    def add(self, rows: Sequence[Any], total: int | None) -> None:
        """Count a page in. What is wrong with the pass so far stands in `trouble` afterwards.

        Args:
            rows: the page's rows.
            total: the number of all rows, if the page says it.

        Raises:
            IncompleteReadError: the rows are those of the page before.
        """
        if self.repeats(rows):
            self.refuse_repetition()
        if total is not None and self.total not in (None, total):
            self.trouble = f"its total changed from {self.total} to {total} while it was read"
        self.total = self.total if total is None else total
        if rows:
            self._page_before = self._identity(rows)
            self._look_for_repeats(rows)
            self.received += len(rows)

    def refuse_repetition(self) -> NoReturn:
        """Say that a page has the rows of the page before it.

        Raises:
            IncompleteReadError: always.
        """
        raise IncompleteReadError(
            f"{self.resource}: the page at offset {self.received} has the rows of the page "
            "before it; the API seems to ignore the paging parameters. Check the names that "
            "`paginator` gives them, or set it to 'single_page' if there is only one page."
        )

    def _look_for_repeats(self, rows: Sequence[Any]) -> None:
        keys = self._keys_of(rows)
        this_page = hash(self._page_before)
        if this_page in self._pages or self._rows.keys() >= set(keys):
            self.trouble = f"all rows at offset {self.received} had come before"
            self._in_circles = True
        self._pages.add(this_page)
        contents = [hash(repr(row)) for row in rows] if self.key else [0]
        page: dict[Hashable, int] = {}
        for key, content in zip(keys, contents, strict=True):
            if key is None:  # the contract rejects the row, so there is nothing to compare
                continue
            if key in self._rows or key in page:
                self.duplicates += 1
                self.repeated.add(key)
            if key in self._rows:
                self._on_two_pages += self._rows[key] == content
                self._restated += self._rows[key] != content
            page[key] = content
        self._rows |= page

    def _identity(self, rows: Sequence[Any]) -> Hashable:
        keys = tuple(self.key_of(row) for row in rows) if self.key else (None,)
        if None not in keys:
            return keys
        return blake2b(json.dumps(rows, default=str).encode()).digest()

    def finish(self, counted: bool = True) -> bool:
        """End the pass.

        Args:
            counted: whether as many rows should have arrived as the total says.

        Returns:
            Whether the read is complete. If not, the resource is to be read again.

        Raises:
            IncompleteReadError: it is not, and this was the last pass.
        """
        if not self.trouble and counted and self.total not in (None, self.received):
            self.trouble = "the rows that arrived are not as many as its total says"
        if not self.trouble and self._on_two_pages:
            self.trouble = (
                f"{self._on_two_pages} rows were on two pages, so that others may have been on "
                "none (does the API sort its rows by something that tells them apart?)"
            )
        agrees = self.number > 1 and self._rows == self._rows_before
        if not self.trouble and (self._restated or self.confirm) and not agrees:
            self.trouble = "two passes did not bring the same rows"
        if not self.trouble:
            return True
        if self.number >= self.passes:
            raise self._incomplete()
        return False

    def _incomplete(self) -> IncompleteReadError:
        expected = "unknown" if self.total is None else self.total
        passes = "1 pass" if self.number == 1 else f"{self.number} passes"
        return IncompleteReadError(
            f"{self.resource}: no complete read in {passes}: {self.trouble}. "
            f"Expected {expected} rows, received {self.received}. If the API's rows change while "
            "they are read, run again when they rest, or raise `reading.passes`; if its total is "
            "not the number of all rows, name the field that is as `total_path` in `paginator`, "
            "or set it to None."
        )
