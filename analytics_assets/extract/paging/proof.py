"""The proof that a read is complete: the rows that arrived, compared with the API's total."""

from collections.abc import Hashable, Sequence
from hashlib import blake2b
from typing import NoReturn

from analytics_assets.config.text.quantities import count
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.paging.duplicates import Contents, Duplicates, KeyIndex
from analytics_assets.extract.rows.answer import Answer

MAX_EMPTY_PAGES = 1000  # in a row; some APIs filter rows after they have cut pages


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
    """

    def __init__(
        self,
        resource: str,
        key: Sequence[str],
        passes: int,
        confirm: bool = False,
    ) -> None:
        self.resource = resource
        self.key = tuple(key)
        self.passes = passes
        self.confirm = confirm
        self.number = 0
        self._digest: tuple[object, int] | None = (
            None  # of the rows, if another pass must have the same
        )
        self.begin()

    def begin(self) -> None:
        """Start another pass."""
        self.number += 1
        self.received = self._pages_with_rows = self._empty_pages = 0
        self.total: int | None = None
        self.duplicates = Duplicates()
        self.inconsistency = ""
        self._digest_before, self._digest = self._digest, None
        self._index = KeyIndex()
        self._page_before: Hashable = None
        self._pages: set[int] = set()
        self._restated = ""  # the page before, if it has rows that had come before alone

    def repeats(self, answer: Answer) -> bool:
        """Return True if a page has the rows of the page before."""
        return bool(answer.count) and self._identity(self._keys_of(answer), answer) == (
            self._page_before
        )

    def contains(self, answer: Answer) -> bool:
        """Return True if all rows of a page, if any, arrived before."""
        keys = self._keys_of(answer)
        if not self.key and answer.count:
            keys = [self._identity(keys, answer)]
        return None not in keys and self._index.contains_all(_hashes_of(keys))

    def _keys_of(self, answer: Answer) -> list[Hashable]:
        """Return the key of each row, None without one; a key of one field is the field."""
        if not self.key:
            return [None] * answer.count
        keys = answer.keys(self.key)
        if len(self.key) == 1 and set(map(type, keys)) <= {str, int}:
            return keys
        return [_whole(key if len(self.key) > 1 else (key,)) for key in keys]

    def add(self, answer: Answer, total: int | None) -> None:
        """Count a page, and set `inconsistency` if the pass is not consistent so far.

        Args:
            answer: the page.
            total: the number of all rows, if the page has it.

        Raises:
            IncompleteReadError: its rows are those of the page before.
        """
        keys = self._keys_of(answer)
        self._check(self._identity(keys, answer) if answer.count else None, total)
        if not answer.count:
            return
        if not self.key:
            keys = [self._page_before]
        elif not isinstance(self._page_before, tuple):
            # the contract rejects rows without a key: each of them counts as a row of its own
            first = self.received
            keys = [(None, first + n) if key is None else key for n, key in enumerate(keys)]
        self._add(_hashes_of(keys))
        self.received += answer.count

    def _check(self, identity: Hashable, total: int | None) -> None:
        self._pages_with_rows += identity is not None
        self._empty_pages = 0 if identity is not None else self._empty_pages + 1
        if self._empty_pages > MAX_EMPTY_PAGES:
            raise IncompleteReadError(
                f"{self.resource}: after {self.received} rows, {MAX_EMPTY_PAGES:,} pages in a row "
                "have no rows, and each names a next one: the API does not end. Check `paginator` "
                "and the parameters that select rows."
            )
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
            f"{self.resource}: after {self.received} rows the API names the page that it has just "
            "returned as the next one: the read would never end."
        )

    @staticmethod
    def _identity(keys: Sequence[Hashable], answer: Answer) -> Hashable:
        """Return the identity of a page: the keys of its rows, or a digest of the rows."""
        return blake2b(answer.json).digest() if None in keys else tuple(keys)

    def _add(self, hashes: Sequence[int]) -> None:
        # of a row without a key, the page's JSON alone is known; Python hashes -1 and -2 alike
        is_keyed = isinstance(self._page_before, tuple)
        this_page = hash(tuple(hashes) if is_keyed else self._page_before)
        are_known = self._index.add(hashes)
        repeated = f"all rows at offset {self.received} had come before"
        # a last page may have new values of rows that came before: their contents tell at the end
        self.inconsistency = self._restated or self.inconsistency
        if this_page in self._pages or (are_known and not is_keyed):
            self.inconsistency = repeated
        self._restated = repeated if are_known else ""
        self._pages.add(this_page)

    def finish(
        self, contents: Contents, counted: bool = True, may_count_pages: bool = False
    ) -> bool:
        """End the pass.

        Args:
            contents: returns the contents of the rows that arrived.
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
        self.duplicates = self._index.duplicates(contents)
        if not self.inconsistency and self.duplicates.same:
            self.inconsistency = (
                f"{count(self.duplicates.same, 'row was', 'rows were')} on two pages, so others "
                "may be missing (does the API sort its rows by a unique field?)"
            )
        in_doubt = self.duplicates.restated or self.confirm
        if in_doubt and not self._confirms_last_pass(contents) and not self.inconsistency:
            self.inconsistency = "two passes did not bring the same rows"
        if not self.inconsistency:
            self._index = KeyIndex()  # may be large, and is no longer needed
            return True
        if self.number >= self.passes:
            raise self._incomplete()
        return False

    @property
    def all_rows_arrived(self) -> bool:
        """True if as many rows arrived as the API's total."""
        return self.received == self.total

    @property
    def pages(self) -> int:
        """The number of pages; of empty ones only the last, as rows follow the others."""
        return self._pages_with_rows + bool(self._empty_pages)

    def _confirms_last_pass(self, contents: Contents) -> bool:
        """Return True if this pass has the same rows as the one before it, in any order."""
        rows = sum(content for _, content in contents(None)) if self.confirm else 0
        self._digest = self._index.digest(self.duplicates), rows
        return self._digest == self._digest_before

    def _incomplete(self) -> IncompleteReadError:
        expected = "unknown" if self.total is None else self.total
        passes = "1 pass" if self.number == 1 else f"{self.number} passes"
        none = "" if self.received else " Check that `data_selector` names the place of the rows."
        return IncompleteReadError(
            f"{self.resource}: no complete read in {passes}: {self.inconsistency}. "
            f"Expected {expected} rows, received {self.received}.{none} Check that `paginator` "
            "in the entry requests all pages, and that `primary_key` identifies a row. If the "
            "API's rows change during the read, run again at a quiet time, or raise "
            "`reading.passes`. If its total is not the number of all rows, set `total_path` in "
            "`paginator` to the field that is, or to None."
        )


def _whole(parts: tuple[Hashable, ...] | None) -> Hashable:
    """Return a key; None if a part of it is missing, or is none."""
    try:
        hash(parts)
    except TypeError:  # an object or a list
        return None
    return None if parts is None or None in parts else parts


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
