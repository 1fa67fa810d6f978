"""Undocumented interfaces of dlt 1.31: a test fails where another version changes one of them."""

from typing import Any

import pytest
import requests
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import (
    HeaderLinkPaginator,
    JSONLinkPaginator,
    PageNumberPaginator,
    SinglePagePaginator,
)

from analytics_assets.extract import compat
from analytics_assets_tests.support.paged_server import Answer, WithinProcess, page

URL = "http://model"


def client_of(*pages: Answer) -> RESTClient:
    """dlt's client of an API that has these pages."""
    left = iter(pages)
    session = requests.Session()
    session.mount(URL, WithinProcess(lambda _asked: next(left)))
    return RESTClient(URL, session=session, data_selector="data")


def test_paginate_ends_where_a_hook_raises_ignore_response_exception() -> None:
    def ignore(*_: Any, **__: Any) -> None:
        raise compat.IgnoredResponse("404")

    assert list(client_of(page(1)).paginate(hooks={"response": [ignore]})) == []


def test_config_setup_create_paginator_makes_what_an_entry_names() -> None:
    made = compat.configured_paginator({"type": "page_number", "base_page": 1}, "orders")

    assert isinstance(made, PageNumberPaginator)
    assert compat.configured_paginator("auto", "orders") is None
    assert compat.configured_paginator(None, "orders") is None
    assert compat.configured_paginator(made, "orders") is not made
    with pytest.raises(ValueError, match="ofset"):
        compat.configured_paginator("ofset", "orders")
    with pytest.raises(TypeError, match="limitt"):
        compat.configured_paginator({"type": "offset", "limitt": 9}, "orders")


def test_detector_single_entity_path_takes_a_placeholder_at_the_end_for_an_object() -> None:
    assert isinstance(compat.configured_paginator(None, "orders/{id}"), SinglePagePaginator)
    assert compat.configured_paginator(None, "orders/{id}/lines") is None


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (page(1, total_pages=2), PageNumberPaginator),
        (Answer([], headers={"Link": '<http://model/2>; rel="next"'}), HeaderLinkPaginator),
        (page(1), SinglePagePaginator),
    ],
)
def test_detector_paginator_factory_goes_by_the_first_page(answer: Answer, found: type) -> None:
    session = requests.Session()
    session.mount(URL, WithinProcess(lambda _asked: answer))

    assert isinstance(compat.detected_paginator(session.get(URL)), found)


def test_detector_find_response_page_data_finds_the_list_of_rows() -> None:
    assert compat.detected_rows({"meta": {"tags": []}, "data": [1]}) == (("data",), [1])
    assert compat.detected_rows({"id": 1})[1] == {"id": 1}


def test_json_link_paginator_takes_an_empty_text_for_a_link() -> None:
    paginator = JSONLinkPaginator("next")
    response = requests.Response()
    response._content = b'{"next": ""}'

    paginator.update_state(response)

    assert paginator.has_next_page
