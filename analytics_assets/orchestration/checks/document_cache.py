"""The OpenAPI document that an API serves, fetched once a day and kept in a file."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from analytics_assets.config.api import Api
from analytics_assets.config.settings.look_up import endpoint_url
from analytics_assets.config.settings.request import RequestSettings
from analytics_assets.config.settings.resolution import resolved
from analytics_assets.config.text.quantities import duration
from analytics_assets.contract.openapi.document import store_document
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.openapi import DocumentNotServedError, fetch_if_changed
from analytics_assets.warehouse.errors import WarehouseLockedError
from analytics_assets.warehouse.settings import warehouse_settings


@dataclass(frozen=True)
class DocumentCache:
    """The documents of APIs, each in a file that all processes of a machine share.

    A document of an earlier day is fetched again, with the API's own answer that it is unchanged
    where that names versions (`ETag`, `Last-Modified`). A new contract or address is compared with
    a new document. A failure is not kept: the next check asks again. That is the only retry, as the
    checks of other tables wait for the request, and the loads of their tables for them.

    Args:
        folder: holds the files.
    """

    folder: Path

    def document_of(self, api: Api, now: datetime) -> Path | None:
        """Return the file of the document that an API serves.

        Args:
            api: the API, with `openapi_path`.
            now: the moment, whose day in UTC counts.

        Returns:
            The file; None if the API serves no document.

        Raises:
            ApiError: the request failed.
            ContractError: the response is no document that can be read.
            SettingsError: a setting of the API is missing.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{api.name}.openapi.json"
        settings = resolved(RequestSettings())
        settings.request_max_attempts = 1
        with closing(connect(api.config["client"], api.name, settings)) as connection:
            url = endpoint_url(connection.settings.base_url, str(api.openapi_path))
            key = _digest(url, api.openapi)
            with _locked(file.with_suffix(".lock")):
                state = _read_state(file)
                if state.get("key") != key or not (file.exists() or state.get("served") is False):
                    state = {}
                today = now.date().isoformat()
                if state.get("day") != today:
                    fetched = _fetch(connection, str(api.openapi_path), file, state)
                    state = {**fetched, "key": key, "day": today}
                    _replace(_state_file(file), json.dumps(state))
        return file if state["served"] else None


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Fetch a document in no other process inside the context.

    Raises:
        WarehouseLockedError: another process does so for longer than `lock_patience`.
    """
    patience, lock = warehouse_settings().lock_patience, FileLock(file)
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise WarehouseLockedError(
            f"the OpenAPI document by {file}",
            "another process",
            f"Another process fetches the OpenAPI document, and holds {file} for longer than "
            f"{duration(patience)} (setting `lock_patience`): end it.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _fetch(
    connection: Connection, path: str, file: Path, state: Mapping[str, Any]
) -> dict[str, Any]:
    """Fetch a document into its file, unless it is unchanged; return the new state."""
    try:
        fetched = fetch_if_changed(connection, path, state.get("conditions", {}))
    except DocumentNotServedError:
        return {"served": False}
    if fetched.document is not None:
        part = file.with_suffix(".part")
        store_document(fetched.document, part)
        os.replace(part, file)
    return {"served": True, "conditions": dict(fetched.conditions)}


def _read_state(file: Path) -> dict[str, Any]:
    try:
        state = json.loads(_state_file(file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _state_file(file: Path) -> Path:
    return file.with_suffix(".state")


def _replace(file: Path, text: str) -> None:
    part = file.with_name(f"{file.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, file)


def _digest(url: str, openapi: str | None) -> str:
    """Return a digest of a URL, which may have a secret, and of the stored document."""
    try:
        stored = Path(openapi or "").read_bytes()
    except OSError:
        stored = b""
    return blake2b(url.encode() + b"\0" + stored, digest_size=16).hexdigest()
