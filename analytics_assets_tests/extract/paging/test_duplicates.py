import gc
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from analytics_assets.extract.paging import duplicates
from analytics_assets.extract.paging.duplicates import Duplicates, KeyIndex

Page = list[tuple[int, int]]


class Rows(KeyIndex):
    """An index of pages of keys, and the contents of their rows."""

    def __init__(self, *pages: Page) -> None:
        super().__init__()
        for page in pages:
            self.add([key for key, _ in page])
        self._rows = [content for page in pages for _, content in page]

    def found(self) -> Duplicates:
        """The duplicates without the last contents, which only `digest` needs."""
        found = self.duplicates(self.contents)
        return Duplicates(found.places, found.rows, found.same, found.restated)

    def contents(self, places: Collection[int] | None) -> Iterator[tuple[int, int]]:
        rows = enumerate(self._rows)
        return ((at, content) for at, content in rows if places is None or at in places)

    def digest_of_rows(self) -> object:
        return self.digest(self.duplicates(self.contents))


@pytest.fixture(params=["few rows", "many rows"], autouse=True)
def how_many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows, all in memory, or so many that they are in a table and queried in parts."""
    if request.param == "many rows":
        monkeypatch.setattr(duplicates, "SAMPLE", 2)
        monkeypatch.setattr(duplicates, "MAX_IN_MEMORY", 3)
        monkeypatch.setattr(duplicates, "MAX_IN_QUERY", 4)


def plain(*keys: int) -> Page:
    return [(key, 100 + key) for key in keys]


def test_rows_with_keys_of_their_own_are_not_repeated() -> None:
    assert Rows(plain(1, 2, 3), plain(4, 5), plain(-1, -2, 0)).found() == Duplicates()
    assert Rows().found() == Duplicates()


def test_a_row_on_two_pages_is_the_same_or_restated() -> None:
    rows = Rows(plain(1, 2, 3, 8), [(2, 102), (3, 7), (4, 104)])

    assert rows.found() == Duplicates({2: [1, 4], 3: [2, 5]}, rows=2, same=1, restated=1)


def test_a_key_twice_on_one_page_was_on_no_earlier_one() -> None:
    assert Rows([(1, 5), (1, 5), (1, 6), (2, 2)]).found() == Duplicates({1: [0, 1, 2]}, rows=2)


def test_a_row_is_compared_with_its_last_form_on_the_pages_before() -> None:
    rows = Rows([(1, 5), (1, 6)], [(1, 6), (1, 7)], [(1, 7)], plain(2, 3))

    assert rows.found() == Duplicates({1: [0, 1, 2, 3, 4]}, rows=4, same=2, restated=1)


def test_keys_are_known_if_all_of_them_were_added() -> None:
    rows = Rows(plain(*range(0, 512)), plain(*range(512, 1024)))

    assert rows.contains_all(range(256, 768))
    assert not rows.contains_all(range(600, 1025))
    assert len(rows) == 1024


def test_no_keys_are_known_among_few() -> None:
    assert Rows(plain(1)).contains_all([])


def test_passes_with_the_same_rows_agree_in_any_order_and_on_any_page() -> None:
    rows = Rows(plain(1, 2), plain(3, 4)).digest_of_rows()

    assert rows == Rows(plain(4, 1), plain(3), plain(2)).digest_of_rows()
    assert Rows().digest_of_rows() == Rows().digest_of_rows()


@pytest.mark.parametrize("other", [plain(1, 2), plain(1, 2, 3, 4), plain(1, 2, 4)])
def test_passes_do_not_agree_if_a_row_is_missing_added_or_another(other: Page) -> None:
    assert Rows(plain(1, 2, 3)).digest_of_rows() != Rows(other).digest_of_rows()


def test_passes_agree_on_rows_with_a_shared_key_by_the_last_of_them() -> None:
    rows = Rows([(1, 5), (2, 2)], [(1, 6)]).digest_of_rows()

    assert rows == Rows([(1, 4), (1, 6)], [(2, 2)], [(1, 6)]).digest_of_rows()
    assert rows != Rows([(1, 6), (2, 2)], [(1, 5)]).digest_of_rows()


@pytest.mark.parametrize("how_many", ["few rows"], indirect=True)
def test_many_rows_are_in_a_table_whose_files_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINES_DIR", str(tmp_path / "keys"))
    monkeypatch.setattr(duplicates, "MAX_IN_MEMORY", 100_000)
    monkeypatch.setattr(duplicates, "MAX_IN_QUERY", 50_000)
    monkeypatch.setattr(duplicates, "MEMORY_LIMIT", "10MB")
    rows = Rows(*(plain(*range(start, start + 1000)) for start in range(0, 800_000, 1000)))

    assert len(rows._keys) < duplicates.MAX_IN_MEMORY
    assert len(rows._sample) <= duplicates.SAMPLE
    assert rows.found() == Duplicates()
    files = [each for each in (tmp_path / "keys").rglob("duckdb_temp*") if each.is_file()]
    assert files

    del rows
    gc.collect()
    assert not list((tmp_path / "keys").iterdir())
