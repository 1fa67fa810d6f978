"""An answer of the API, decoded: a page of rows, or something that is none."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import requests
from dlt.sources.helpers.rest_client.redaction import sanitize_url

from analytics_assets.extract.compat import IgnoredResponse
from analytics_assets.extract.http.errors import (
    BodyError,
    ResponseError,
    excerpt,
    hint_of,
)
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.rows.json_lines import LineError, as_list, has_lines
from analytics_assets.extract.rows.page_decoder import Envelope, PageDecoder, SplitPage
from analytics_assets.extract.rows.reshaping.errors import RowsError
from analytics_assets.extract.rows.reshaping.reshape import Reshape
from analytics_assets.extract.rows.response_body import decode, outline
from analytics_assets.extract.rows.row_place import Misplacement, RowPlace
from analytics_assets.redaction.redactor import redact

Hook = Callable[..., Any]
ABSENCE_HINT = (
    ' If such an answer means that there are no rows, write `"empty": "absent"` in the policy of '
    "the resource."
)


class AbsentRowsError(BodyError):
    """The body has nothing in the place of its rows.

    Args:
        text: the message.
        is_null: True if null is there, rather than nothing.
        response: the response.
    """

    def __init__(self, text: str, is_null: bool, response: requests.Response) -> None:
        super().__init__(text, response=response)
        self.is_null = is_null


@dataclass(eq=False)
class Answer:
    """A decoded answer.

    Args:
        page: the page as it arrived.
        body: the decoded body; its list of rows is empty if `split` has them.
        split: the rows as JSON, if they can be decoded into columns.
        refusal: the error of an answer that is no page; None for a page.
        absence: the error of a page with nothing in the place of its rows.
        decoded: decodes the whole body.
        found: what is in the place of the rows in a decoded body; nothing in an answer that is no
            page.
        made: makes the rows of that; None if they are that.
    """

    page: Page
    body: Any = None
    split: SplitPage | None = None
    refusal: Exception | None = None
    absence: AbsentRowsError | None = None
    decoded: Callable[[Page], Any] = lambda _: None
    found: Callable[[Any], list[Any]] = lambda _: []
    made: Callable[[Page, list[Any], Any], list[Any]] | None = None

    @cached_property
    def whole_body(self) -> Any:
        """The decoded body, with its rows."""
        return self.body if self.split is None else self.decoded(self.page)

    @cached_property
    def _sent(self) -> list[Any]:
        return self.found(self.whole_body)

    @cached_property
    def rows(self) -> list[Any]:
        """The rows as objects."""
        return self.made(self.page, self._sent, self.body) if self.made else self._sent

    @cached_property
    def count(self) -> int:
        """The number of rows."""
        return len(self.rows) if self.split is None else self.split.count

    @property
    def is_one_object(self) -> bool:
        """True if the body itself is the only row, or an object that becomes rows."""
        return self.split is None and len(self._sent) == 1 and self._sent[0] is self.body

    def without_rows(self) -> "Answer":
        """Return the answer without its rows."""
        return replace(self, split=None, found=lambda _: [])

    def keys(self, fields: Sequence[str]) -> list[Any]:
        """Return the key of each row, as JSON has it.

        Args:
            fields: the names of the fields of the key.

        Returns:
            The value of one field, or a tuple of those of several; None for a missing one.
        """
        if self.split is not None:
            return self.split.keys
        rows = [row if isinstance(row, dict) else {} for row in self.rows]
        if len(fields) == 1:
            return [row.get(fields[0]) for row in rows]
        return [tuple(row.get(field) for field in fields) for row in rows]

    @property
    def json(self) -> bytes:
        """The rows as JSON."""
        return (
            json.dumps(self.rows, default=str).encode() if self.split is None else self.split.rows
        )


class AnswerDecoder:
    """Decodes the answers of one read.

    Args:
        resource: the resource, for errors.
        place: the place of the rows in a page.
        exact: True to keep the digits of all numbers, for decimal columns.
        hooks: the entry's `response_actions` as dlt makes them of it.
        columns: returns the decoder into columns by the path of the rows; None if there is none.
        auth: signs the requests; None if nothing does.
        reshape: makes the rows of what is in their place; None if they are that.
        has_lines: True if bodies are JSON lines, whatever they say.
    """

    def __init__(
        self,
        resource: str,
        place: RowPlace,
        exact: bool,
        hooks: Sequence[Hook] = (),
        columns: Callable[[str], PageDecoder | None] = lambda _: None,
        auth: Any = None,
        reshape: Reshape | None = None,
        has_lines: bool = False,
    ) -> None:
        self._has_lines = has_lines
        self._resource = resource
        self._reshape = reshape
        self._place = place
        self._exact = exact
        self._hooks = hooks
        self._auth = auth
        self._columns = columns
        self.columns = columns(place.path) if place.path else None
        # the body around the rows of the last page, as many pages have the same
        self._around: tuple[Envelope, Any] | None = None

    def __call__(self, page: Page) -> Answer:
        """Decode a page.

        Returns:
            The answer; one that `response_actions` ignore, or with an error status, has it as its
            `refusal`, as it may be the end of the read.

        Raises:
            BodyError: the body is not JSON, reports an error, or has no list of rows in its place.
        """
        try:
            page = self._altered(page)
        except IgnoredResponse as ignored:
            return Answer(page, refusal=ignored)
        if page.status >= requests.codes.bad_request:
            return Answer(page, refusal=self._error(ResponseError, page, page.reason))
        if self._has_lines or has_lines(page):
            page = self._listed(page)
        split = self.columns.split(page.content) if self.columns else None
        if split and self._around and split.envelope == self._around[0]:
            return self._answer(page, self._around[1], split)
        if split and self.columns:
            body = self.columns.body_of(split.envelope)
        else:
            body = self._decoded(page)
        if problem := self._place.failure(body):
            raise self._error(BodyError, page, f"with {problem}")
        misplacement = self._place.misplacement(body)
        if misplacement and not (misplacement.is_absent and self._has_headers(body)):
            return Answer(page, body, absence=self._absence(page, body, misplacement))
        if not self._place.path:
            self._place.detect(body)
            self.columns = self._columns(self._place.path)
            split = self.columns.split(page.content) if self.columns else None
        elif split:
            self._around = split.envelope, body
        return self._answer(page, body, split)

    def rows_of(self, page: Page) -> list[Any]:
        """Return the rows of a page as objects."""
        return self._place.rows(self._decoded(page))

    def _answer(self, page: Page, body: Any, split: SplitPage | None) -> Answer:
        made = self._made if self._reshape else None
        return Answer(page, body, split, decoded=self._decoded, found=self._place.rows, made=made)

    def _made(self, page: Page, found: list[Any], body: Any) -> list[Any]:
        assert self._reshape, "else rows are what is found"
        try:
            return self._reshape(found, body)
        except RowsError as error:
            raise error.on(self._subject(page)) from None

    def _has_headers(self, body: Any) -> bool:
        return self._reshape is not None and self._reshape.has_headers(body)

    def _altered(self, page: Page) -> Page:
        """Return a page as the entry's `response_actions` leave it."""
        if not self._hooks:
            return page
        response = page.as_response()
        for hook in self._hooks:
            response = hook(response) or response
        return Page.of(response)

    def _listed(self, page: Page) -> Page:
        """Return a page of JSON lines as one of a list."""
        try:
            return as_list(page)
        except LineError as error:
            raise BodyError(
                f"{self._subject(page)}: the API answered {page.status} with {error}",
                response=page.as_response(),
            ) from None

    def _decoded(self, page: Page) -> Any:
        body, problem = decode(page, self._exact)
        if problem:
            raise self._error(BodyError, page, f"with {problem}")
        return body

    def _error(
        self, kind: type[BodyError | ResponseError], page: Page, problem: str
    ) -> BodyError | ResponseError:
        response = page.as_response()
        reason = excerpt(response)
        return kind(
            f"{self._subject(page)}: the API answered {page.status} {problem}".rstrip()
            + hint_of(page.status, self._auth, reason)
            + reason,
            response=response,
        )

    def _absence(self, page: Page, body: Any, misplacement: Misplacement) -> AbsentRowsError:
        """Return the error of a body with nothing in the place of its rows.

        Raises:
            BodyError: it has something else there, or its rows elsewhere.
        """
        text = (
            f"{self._subject(page)}: the API answered {page.status} with {misplacement.text}: "
            f"{redact(outline(body))}. Set `data_selector` of the entry to where its rows "
            "are."
        )
        if not misplacement.is_absent:
            raise BodyError(text, response=page.as_response())
        return AbsentRowsError(text + ABSENCE_HINT, misplacement.is_null, page.as_response())

    def _subject(self, page: Page) -> str:
        return f"{self._resource}: {page.request.method} {redact(sanitize_url(page.url))}"
