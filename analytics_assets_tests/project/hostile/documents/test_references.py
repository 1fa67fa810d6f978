"""References out of a document's folder: to the network, to other files, to no file at all."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.config.settings.request import single_attempt
from analytics_assets.contract.openapi.document import parse_document
from analytics_assets.contract.resource import resources_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.openapi import fetch_document
from analytics_assets_tests.project.hostile.documents.documents import api_of, document, quickly
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox

SECRET = "a-marked-secret-outside"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server that must see no connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture
def folder(clean_place: Path) -> Path:
    """The folder of a document, beside a file with a secret, and with links out of it."""
    outside = clean_place / "outside"
    outside.mkdir()
    (outside / "secret.json").write_text(json.dumps({"Row": {"title": SECRET, "type": "string"}}))
    inside = clean_place / "inside"
    inside.mkdir()
    (inside / "link.json").symlink_to(outside / "secret.json")
    (inside / "folder").symlink_to(outside)
    (inside / "itself.json").symlink_to(inside / "itself.json")
    os.mkfifo(inside / "pipe.json")
    (inside / "zero.json").symlink_to("/dev/zero")
    return inside


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        pytest.param("http://{address}/a.json#/Row", "is not fetched", id="HTTP"),
        pytest.param("//{address}/a.json#/Row", "is not fetched", id="no scheme"),
        pytest.param(
            "%68ttp://{address}/a.json#/Row", "cannot be read", id="a scheme that is escaped"
        ),
        pytest.param("ftp://{address}/a.json#/Row", "is not fetched", id="FTP"),
        pytest.param("file://{outside}/secret.json#/Row", "is not fetched", id="a URL of a file"),
        pytest.param("FILE:{outside}/secret.json#/Row", "is not fetched", id="a URL in capitals"),
        pytest.param("{outside}/secret.json#/Row", "is not below", id="an absolute path"),
        pytest.param("%2F{outside}/secret.json#/Row", "is not below", id="a slash that is escaped"),
        pytest.param("../outside/secret.json#/Row", "is not below", id="a folder above"),
        pytest.param(
            "a/../../outside/secret.json#/Row", "is not below", id="a folder above in the middle"
        ),
        pytest.param(
            "%2e%2e/outside/secret.json#/Row", "is not below", id="a folder above that is escaped"
        ),
        pytest.param("link.json#/Row", "is not below", id="a symbolic link to a file outside"),
        pytest.param(
            "folder/secret.json#/Row", "is not below", id="a symbolic link to a folder outside"
        ),
        pytest.param("itself.json#/Row", "cannot be read", id="a symbolic link to itself"),
        pytest.param("zero.json#/Row", "is not below", id="a symbolic link to a device"),
        pytest.param("pipe.json#/Row", "it is a pipe", id="a pipe that nobody writes to"),
        pytest.param(".#/Row", "cannot be read", id="the folder itself"),
        pytest.param("a%00b.json#/Row", "cannot be read", id="a NUL in a name"),
        pytest.param("a" * 5_000 + ".json#/Row", "cannot be read", id="a name of 5,000 letters"),
    ],
)
def test_a_reference_out_of_the_folder_is_not_followed(
    target: str, reason: str, folder: Path, listener: socket.socket
) -> None:
    host, port = listener.getsockname()
    target = target.format(address=f"{host}:{port}", outside=folder.parent / "outside")
    file = folder / "openapi.json"
    file.write_text(json.dumps(document({}, {"$ref": target})))

    with quickly():
        contract = resources_of(api_of(file))["orders"].contract

    assert reason in str(contract.problem)
    assert "`#/paths/~1orders/get/responses/200/content" in str(contract.problem)
    assert SECRET not in str(contract)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_files_that_refer_to_each_other_hundreds_of_times_in_a_row_are_read(
    clean_place: Path,
) -> None:
    for number in range(300):
        part = {"Row": {"type": "string"}, "next": {"$ref": f"{number + 1}.json#/Row"}}
        (clean_place / f"{number}.json").write_text(json.dumps(part))
    file = clean_place / "openapi.json"
    row = {"properties": {"a": {"$ref": "0.json#/Row"}}}
    file.write_text(json.dumps(document({}, row)))

    (column,) = resources_of(api_of(file))["orders"].contract.columns

    assert column.data_type == "text"


def test_files_without_end_are_asked_for_5_000_times_at_most() -> None:
    asked: list[str] = []

    def read(name: str) -> bytes:
        asked.append(name)
        return json.dumps({"x": {"$ref": f"{len(asked)}.json"}}).encode()

    text = json.dumps({"openapi": "3.0.3", "paths": {"$ref": "first.json"}})
    found = parse_document(text, "it", "openapi.json", read)

    assert len(asked) == 5_000
    assert "the document refers to more than 5,000 files" in found["x-files"].values()


def test_files_of_many_megabytes_together_are_not_parsed() -> None:
    parts = [{"$ref": f"{number}.json"} for number in range(10)]
    text = json.dumps({"openapi": "3.0.3", "paths": {}, "x": parts})
    large = b'{"a": "' + b" " * 20_000_000 + b'"}'

    found = parse_document(text, "it", "openapi.json", lambda name: large)

    assert sum(isinstance(file, dict) for file in found["x-files"].values()) == 3
    assert "the further files have more than 67,108,864 bytes" in found["x-files"].values()


@pytest.mark.parametrize(
    "files", [["a.json"], "a.json", 1, {1: {}}, {"a\0b": 1}], ids=lambda files: repr(files)
)
def test_a_document_with_bundled_files_of_its_own_form_is_read(
    files: Any, clean_place: Path
) -> None:
    file = clean_place / "openapi.yaml"
    file.write_text(json.dumps({**document({}, {"$ref": "#/x-files/b"}), "x-files": files}))

    assert "which is not there" in str(resources_of(api_of(file))["orders"].contract.problem)


def test_a_document_of_the_api_names_no_file_of_this_machine(
    connected: Sandbox, folder: Path
) -> None:
    outside = folder.parent / "outside" / "secret.json"
    targets = [f"file://{outside}", str(outside), "../outside/secret.json", "/etc/passwd"]
    parts = [{"$ref": target} for target in targets]
    body = json.dumps({"openapi": "3.0.3", "paths": {}, "x": parts})
    connected.faults.add(Fault(path="/openapi.json", body=body))

    found = fetch_document(
        connect(API.config["client"], API.name, single_attempt()), "/openapi.json"
    )

    assert SECRET not in json.dumps(found)
    assert "root:" not in json.dumps(found)
    asked = [request.path for request in connected.requests if "token" not in request.path]
    assert asked == ["/openapi.json"]
