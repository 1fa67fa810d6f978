"""The newest `updated_at` that an endpoint holds, by one cheap request."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from analytics_assets.config.entry.place import PARTS
from analytics_assets.config.policy import NewestRequest
from analytics_assets.config.times.timestamps import (
    EXAMPLES,
    TimeFormatError,
    parse_timestamp,
    read_time,
)
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.compat import generator_of, pipe_of
from analytics_assets.extract.entry import Entry
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.http.limits.read_end import ReadEnd
from analytics_assets.extract.incremental.request_params import with_params
from analytics_assets.extract.paging.first_request import first_request
from analytics_assets.extract.paging.parallel_reads import Extractions
from analytics_assets.extract.reading import Reader
from analytics_assets.extract.rows.response_body import value_at
from analytics_assets.extract.source import sample_source, with_settings


class WatermarkError(ApiError):
    """A row has no time in the field that the policy names."""


class NewestRead:
    """A read of the time of an endpoint's newest change: made once, and repeated.

    The resource is read as in a load, but with the parameters of `newest` and one page only. The
    request is made by dlt, which takes much longer than to send it; it holds as long as no setting
    changes. The token of OAuth2 is put on it when it is sent.

    Args:
        resource: a resource that is not read from the rows of another.
        newest: the parameters of the request, and the field of a row with the time.
        connection: a connection to its API.
        window: the parameters that limit the request to some partitions; those of `newest` go
            first.
    """

    def __init__(
        self,
        resource: Resource,
        newest: NewestRequest,
        connection: Connection,
        window: Mapping[str, Any] | None = None,
    ) -> None:
        self._name, self._field = resource.name, newest["field"]
        self._form = resource.policy.time_formats.get(self._field)
        self._may_be_absent = self._name in resource.absent
        self._config = with_settings(_one_page(resource, newest, window or {}), resource.api_name)
        source = sample_source(self._config, resource.api_name, connection, resource.absent)
        own = source.resources[self._name]
        pipe = pipe_of(own)
        self._request, _ = first_request(generator_of(pipe)())
        self._validator = own.validator and own.validator.bind(pipe)

    def fetch(self, connection: Connection, end: ReadEnd | None = None) -> datetime | None:
        """Fetch the time of the newest change.

        Args:
            connection: sends the request.
            end: ends the wait for the answer early.

        Returns:
            The newest time on the page, in UTC; None if it has no rows.

        Raises:
            ApiError: the request failed.
            CancelledReadError: `end` has ended the wait.
            ReadDeadlineError: `end` has ended the wait.
            WatermarkError: a row has no time in that field.
        """
        # an entry learns from pages, and others may read at the same time
        [given] = self._config["resources"]
        entry = Entry(given, self._config, allows_absence=self._may_be_absent, is_sample=True)
        of_entry = connection.for_path(entry.path)
        reader = Reader(entry, None, of_entry, None, Extractions())
        moments = [
            _as_moment(self._name, self._field, value_at(self._field, row), self._form)
            for page in reader.read(self._request, end=end)
            for row in self._valid(entry.steps(page, None))
        ]
        return max(moments, default=None)

    def _valid(self, rows: list[Any]) -> list[Any]:
        """Return the rows of a page as a model in `columns` makes them."""
        if self._validator is None or not rows:
            return rows
        return self._validator(rows) or []


def fetch_newest(
    resource: Resource,
    newest: NewestRequest,
    connection: Connection,
    window: Mapping[str, Any] | None = None,
) -> datetime | None:
    """Fetch the time of an endpoint's newest change once; see `NewestRead`."""
    return NewestRead(resource, newest, connection, window).fetch(connection)


def _one_page(
    resource: Resource, newest: NewestRequest, window: Mapping[str, Any]
) -> dict[str, Any]:
    endpoint = {
        key: _fixed(value, in_params=key == "params") if key in PARTS else value
        for key, value in resource.endpoint.items()
        if key != "incremental"
    }
    entry: Any = {**resource.entry, "endpoint": {**endpoint, "paginator": "single_page"}}
    config = {**resource.config, "resources": [entry]}
    return with_params(with_params(config, resource.name, window), resource.name, newest["params"])


def _fixed(value: Any, in_params: bool = False) -> Any:
    """Return a part of a request without the cursors of a load: by dlt, an object in `params`."""

    def is_cursor(each: Any) -> bool:
        is_text = isinstance(each, str) and "{incremental." in each
        return is_text or (in_params and isinstance(each, Mapping))

    if isinstance(value, Mapping):
        return {name: _fixed(each) for name, each in value.items() if not is_cursor(each)}
    if isinstance(value, list | tuple):
        return [_fixed(each) for each in value if not is_cursor(each)]
    return value


def _as_moment(resource: str, field: str, value: object, form: str | None) -> datetime:
    moment, problem = parse_timestamp(value), "no time"
    if form:
        try:
            moment = read_time(value, form)
        except TimeFormatError as error:
            moment, problem = None, str(error)
    if moment is None:
        raise WatermarkError(
            f"{resource}: `{field}` in the API's newest row is {value!r}, which is {problem}. "
            "Correct `newest` in the resource's policy, or set it to None; state a time that is "
            f'not in ISO format by "time_formats": {{"{field}": {EXAMPLES}}}.'
        )
    return moment
