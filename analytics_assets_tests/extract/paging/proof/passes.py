"""The passes of a read without pages, and the contents of their rows."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import requests

from analytics_assets.extract.http.page import Page
from analytics_assets.extract.paging.proof import Proof
from analytics_assets.extract.rows.answer import Answer
from analytics_assets.extract.rows.hashing import content_hash

Rows = Sequence[Any]
PAGE = Page(requests.PreparedRequest(), "http://shop/orders", 200, {}, b"")


class Passes(Proof):
    """A proof, and the rows of its pass."""

    def begin(self) -> None:
        self.rows: list[Any] = []
        super().begin()

    def add(self, answer: Answer, total: int | None) -> None:
        super().add(answer, total)
        self.rows += answer.rows

    def contents(self, places: Collection[int] | None) -> Iterator[tuple[int, int]]:
        rows = enumerate(self.rows)
        return ((at, content_hash(row)) for at, row in rows if places is None or at in places)

    def ends(self, **options: bool) -> bool:
        """End the pass."""
        return self.finish(self.contents, **options)


def proof_of(*pages: tuple[Rows, int | None], **options: Any) -> Passes:
    """A proof that has seen these pages, each with the total it came with."""
    usual = {"resource": "orders", "key": ("id",), "passes": 3}
    return another_pass(Passes(**{**usual, **options}), *pages)


def another_pass(proof: Passes, *pages: tuple[Rows, int | None]) -> Passes:
    for found, total in pages:
        proof.add(answer(found), total)
    return proof


def answer(found: Rows) -> Answer:
    """A page with these rows."""
    return Answer(PAGE, {"data": found}, found=lambda body: body["data"])


def rows(*numbers: Any, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": number, **fields} for number in numbers]
