"""The document for a new API: from files and URLs, and what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics_assets.cli.commands.new.document_file import SourceDocument, source_document
from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets_tests.cli.commands.new.documents import NUMBER, array, document, get
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.server import Server

DOCUMENT = document({"/orders": get(array({"id": NUMBER}))})
SPLIT = document({"/orders": {"$ref": "paths/orders.json"}})


def answer(asked: Request) -> Answer:
    """A host of documents."""
    answers = {
        "/openapi.json": Answer(DOCUMENT),
        "/split/openapi.json": Answer(SPLIT),
        "/split/paths/orders.json": Answer(get(array({"id": NUMBER}))),
        "/elsewhere": Answer({}, status=302, headers={"Location": "https://example.com/a"}),
        "/docs": Answer("<html>", headers={"Content-Type": "text/html"}),
        "/text": Answer("no document"),
    }
    if asked.path == "/closed" and asked.headers.get("authorization") != "Basic dXNlcjp3b3Jk":
        return Answer({}, status=401)
    return answers.get(asked.path, Answer(DOCUMENT) if asked.path == "/closed" else Answer({}, 404))


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(answer) as running:
        yield running


def test_a_document_is_fetched_and_its_place_known(server: Server) -> None:
    url = f"{server.base_url}/openapi.json"

    assert source_document(url) == SourceDocument(DOCUMENT, url, url)
    assert [request for request in server.requests if request.authorized] == []


def test_the_files_below_a_document_are_fetched_too(server: Server) -> None:
    found = source_document(f"{server.base_url}/split/openapi.json")

    assert "paths/orders.json" in found.document["x-files"]


def test_the_user_of_a_url_signs_in_and_is_written_nowhere(server: Server) -> None:
    url = f"http://user:word@127.0.0.1:{server.base_url.rpartition(':')[2]}/closed"
    found = source_document(url)

    assert found.document == DOCUMENT
    assert "word" not in f"{found.url}{found.place}"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone", "answered 404"),
        ("/docs", "the answer is a web page. Give `--openapi` the address"),
        ("/text", "is no OpenAPI document. Use the"),
        ("/elsewhere", "https://example.com, which is not followed. Give `--openapi` the address"),
    ],
)
def test_what_is_no_document_is_refused(server: Server, path: str, reason: str) -> None:
    with pytest.raises(AnalyticsAssetsError, match="(?s)" + reason.replace(".", r"\.")):
        source_document(f"{server.base_url}{path}")


def test_an_address_that_nobody_answers_is_that_of_the_option() -> None:
    with pytest.raises(AnalyticsAssetsError) as refusal:
        source_document("http://127.0.0.1:9/openapi.json")

    assert str(refusal.value).endswith(": check the address in `--openapi`.")
    assert "base_url" not in str(refusal.value)


@pytest.mark.parametrize("scheme", ["file", "ftp", "gopher", "data"])
def test_no_other_scheme_is_asked(scheme: str) -> None:
    with pytest.raises(AnalyticsAssetsError, match="a URL of http or https"):
        source_document(f"{scheme}:///etc/passwd")


def test_a_file_leads_to_no_file_outside_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (tmp_path / "secret.json").write_text("{}")
    file = folder / "openapi.json"
    file.write_text(json.dumps(document({"/orders": {"$ref": "../secret.json"}})))

    assert "not below the document's folder" in str(source_document(str(file)).document["x-files"])
