"""The parameters by which a paginator requests a page, at their places in the request.

dlt's paginators write query parameters. Those that are named by another place, such as
`json.offset`, `data.page` or `headers.X-Cursor`, are moved there.
"""

from collections.abc import Mapping
from typing import Any

import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator

from analytics_assets.config.entry.place import Place
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.validation.load import refuse_places
from analytics_assets.config.validation.paginator import own_options, without_own_options
from analytics_assets.extract.compat import configured_paginator

OPTIONS = ("param_name", "limit_param", "cursor_param")  # of dlt's paginators


class PageParams:
    """The parameters of a paginator.

    Args:
        paginator: the paginator of the entry; None to detect it from the first page, by a link.
        as_text: True to write numbers as texts in a JSON body.
    """

    def __init__(self, paginator: BasePaginator | None, as_text: bool = False) -> None:
        self.paginator = paginator
        names = {name: getattr(paginator, name, None) for name in OPTIONS}
        self._places = {
            option: Place.of(name) for option, name in names.items() if isinstance(name, str)
        }
        self._moved = [each for each in self._places.values() if each.name != each.query_name]
        self._as_text = as_text

    @classmethod
    def configured(cls, resource: str, endpoint: Mapping[str, Any], given: Any) -> "PageParams":
        """Return the parameters of the paginator that dlt would make of an entry.

        Args:
            resource: the resource, for errors.
            endpoint: its endpoint, `path` and `resource_defaults` included.
            given: its `paginator`, else that of the client.

        Raises:
            ConfigurationError: dlt refuses the paginator, or the request has something else at the
                place of a parameter.
        """
        refuse_places(resource, endpoint, given)
        try:
            paginator = configured_paginator(without_own_options(given), endpoint["path"])
        except (ValueError, TypeError) as error:
            raise ConfigurationError(
                f"dlt refuses the entry of `{resource}`: paginator: {error}"
            ) from error
        return cls(paginator, own_options(given, paginator)["as_text"])

    @property
    def query_name(self) -> str | None:
        """The query parameter with the number of a page, or its offset; None if there is none."""
        place = self._places.get("param_name")
        return place.query_name if place else None

    def write(self, paginator: BasePaginator, request: requests.Request) -> None:
        """Write the parameters of a paginator's page into a request."""
        paginator.update_request(request)
        self.move(request)

    def move(self, request: requests.Request) -> None:
        """Move the parameters that a paginator has written to their places."""
        for place in self._moved:
            if isinstance(request.params, dict) and place.name in request.params:
                value = request.params.pop(place.name)
                setattr(request, place.part, place.put(vars(request), self._written(place, value)))

    def _written(self, place: Place, value: Any) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return str(value) if self._as_text and place.has_types and is_number else value
