"""Documents of a shop that unfold into more than is written in them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analytics_assets.config.api import Api

SECONDS = 1.0  # in which a document is refused
HEADER = "openapi: 3.0.3\npaths: {}\n"
LEAF = {"type": "object", "properties": {"a": {"type": "string"}}}


def reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def chain(link: Callable[[dict[str, Any]], Any], length: int = 40) -> dict[str, Any]:
    """Schemas, each made of the next one."""
    names = [f"Link{number}" for number in range(length + 1)]
    links = {name: link(reference(names[at + 1])) for at, name in enumerate(names[:-1])}
    return {**links, names[-1]: LEAF}


def document(schemas: dict[str, Any], row: Any) -> dict[str, Any]:
    """A document with the schema of the row of `/orders`, and another one for `/refunds`."""

    def path(schema: Any) -> dict[str, Any]:
        content = {"application/json": {"schema": {"type": "array", "items": schema}}}
        return {"get": {"responses": {"200": {"content": content}}}}

    paths = {"/orders": path(row), "/refunds": path(LEAF)}
    return {"openapi": "3.0.3", "paths": paths, "components": {"schemas": schemas}}


def api_of(file: Path, policy: Any = None) -> Api:
    resources = [
        {"name": name, "primary_key": "a", "endpoint": {"path": f"/{name}"}}
        for name in ("orders", "refunds")
    ]
    policy = policy or {}
    config: Any = {"client": {"base_url": "http://127.0.0.1:9"}, "resources": resources}
    return Api(name="shop", config=config, default_policy=policy, openapi=str(file))


@contextmanager
def quickly() -> Iterator[None]:
    """Fail if the context takes longer than a refusal may, measured as CPU of the process."""
    begin = time.process_time()
    yield
    assert time.process_time() - begin < SECONDS
