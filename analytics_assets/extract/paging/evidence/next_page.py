"""The reference to a next page: a link or a token in the body, or the header `Link`.

Sources: RFC 8288 for the header, and OData, JSON:API, HAL and FHIR for fields.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import urljoin

from requests.utils import parse_header_links

from analytics_assets.extract.paging.evidence.fields import Field
from analytics_assets.extract.rows.response_body import json_path

NEXT = {
    *("next", "odatanextlink", "continuationtoken"),
    *("nextpage", "nexturl", "nexturi", "nextlink", "nexthref", "nextcursor", "nexttoken"),
    *("nextoffset", "nextmarker", "nextstartindex", "nextrecordsurl", "nextresultsurl"),
    *("nextpageurl", "nextpageuri", "nextpagelink", "nextpagetoken", "nextpagecursor"),
    *("nextpageid", "nextcontinuationtoken"),
}
LINKS = {"links", "link", "cursors", "cursor"}
TARGETS = ("href", "url", "uri", "link")
NOTHING = ("", "null", "none", "false", "0", "-1")


class NextPage(NamedTuple):
    """A reference to a next page.

    Args:
        name: its field or header, for errors.
        value: the URL, the token or the number.
        path: the JSON path of the field; "" for a header.
    """

    name: str
    value: Any
    path: str = ""

    @property
    def is_url(self) -> bool:
        """True if it can be requested as it is."""
        return isinstance(self.value, str) and self.value.startswith(("http", "/"))

    @property
    def paginator(self) -> str:
        """The `paginator` that follows it, as it is written in an entry."""
        if not self.path:
            return '"header_link"'
        if self.is_url:
            return f'{{"type": "json_link", "next_url_path": "{self.path}"}}'
        return (
            f'{{"type": "cursor", "cursor_path": "{self.path}", "cursor_param": "<the API\'s '
            'parameter for it>"}'
        )


def next_page_in(
    fields: Iterable[Field], headers: Mapping[str, str], url: str = ""
) -> NextPage | None:
    """Find the reference to the next page.

    Args:
        fields: the fields of a page.
        headers: those of the response.
        url: the URL of the request; a link to itself leads nowhere.
    """
    for found in (*_in_header(headers), *_in_fields(fields)):
        if not is_same_url(url, found.value):
            return found
    return None


def is_same_url(url: str, reference: Any) -> bool:
    """Return True if a reference in the page at a URL is a link to that page."""
    if not url or not isinstance(reference, str):
        return False
    # without the same end it cannot be, which is known a hundred times as fast
    try:
        return url.endswith(reference.rpartition("/")[2]) and urljoin(url, reference) == url
    except ValueError:  # an IPv6 address that is none
        return False


def denies_next_page(fields: Iterable[Field]) -> bool:
    """Return True if a field for the reference to a next page has none, as of `"next": null`."""
    found = [field.value for field in fields if field.plain in NEXT]
    return bool(found) and not any(
        is_reference(value) or isinstance(value, Mapping) for value in found
    )


def _in_header(headers: Mapping[str, str]) -> Iterator[NextPage]:
    for link in parse_header_links(headers.get("Link") or headers.get("link") or ""):
        if "next" in link.get("rel", "").lower().split() and link.get("url"):
            yield NextPage("Link", link["url"])


def _in_fields(fields: Iterable[Field]) -> Iterator[NextPage]:
    for field in fields:
        value = field.value
        if field.plain in LINKS and isinstance(value, list):
            yield from _in_list(field)
        elif field.plain in NEXT and isinstance(value, Mapping):
            # a null beside other parts is the missing token: `{"offset": null, "limit": 10}`
            others = () if None in value.values() else value
            names = [target for target in TARGETS if target in value] or others
            for part in [name for name in names if is_reference(value[name])][:1]:
                yield NextPage(field.name, value[part], json_path((*field.path, part)))
        elif field.plain in NEXT and is_reference(value):
            yield NextPage(field.name, value, json_path(field.path))


def _in_list(field: Field) -> Iterator[NextPage]:
    """Find the link in a list such as `[{"rel": "next", "href": ...}]`."""
    for link, kind in product(field.value, ("rel", "relation")):
        if isinstance(link, Mapping) and link.get(kind) == "next":
            for target in TARGETS:
                if is_reference(link.get(target)):
                    place = f"{json_path(field.path)}[?(@.{kind}=='next')].{target}"
                    yield NextPage(field.name, link[target], place)


def is_reference(value: Any) -> bool:
    """Return True if a value can be a link, a token or a number, rather than none."""
    is_scalar = isinstance(value, str | int | float)
    return is_scalar and str(value).strip().lower() not in NOTHING
