"""The floor: the least work that brings the rows from the API into the table.

No checks, no retries, no state, types given: 16 connections at once, bodies into
a file as they come, and DuckDB does the rest.
"""

import asyncio
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import aiohttp
import duckdb
import uvloop

from analytics_assets_tests.project.benchmarks.loaders.stages import Stopwatch, print_stages
from analytics_assets_tests.project.benchmarks.loaders.task import (
    CLIENT_ID,
    CLIENT_SECRET,
    DATASET,
    Task,
    read_task,
)
from analytics_assets_tests.project.benchmarks.server.pages import ROWS_PER_PAGE

CONNECTIONS = 16
COLUMNS = {
    "id": "VARCHAR",
    "date": "DATE",
    "analytics_id": "VARCHAR",
    "user_key": "VARCHAR",
    "country": "VARCHAR",
    "device": "VARCHAR",
    "sessions": "BIGINT",
    "page_views": "BIGINT",
    "bounce_rate": "DOUBLE",
    "avg_session_duration": "DOUBLE",
    "updated_at": "TIMESTAMPTZ",
    "is_returning": "BOOLEAN",
}
LARGEST_BODY = 32 * 1024 * 1024  # bytes


def main() -> None:
    """Load the task of the command line."""
    task, watch = read_task(), Stopwatch()
    watch.end("import")
    uvloop.run(fetch(task))
    watch.end("extract")
    with duckdb.connect(str(task.duckdb_file)) as connection:
        connection.execute("SET preserve_insertion_order = false")
        for resource in task.names:
            stage(connection, resource, bodies_of(task, resource))
        watch.end("normalize")
        merge(connection, task)
    watch.end("load")
    if task.stages:
        print_stages(watch.seconds)


def bodies_of(task: Task, resource: str) -> Path:
    """Return the file for a resource's responses, one per line."""
    return task.workdir / f"{resource}.jsonl"


async def fetch(task: Task) -> None:
    """Write all responses to files."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        session.headers["Authorization"] = f"Bearer {await token(session, task)}"
        files = {name: bodies_of(task, name).open("wb", 1 << 20) for name in task.names}
        totals = {name: await first_page(session, task, name, files[name]) for name in task.names}
        pages = chain.from_iterable(
            ((name, offset) for offset in range(ROWS_PER_PAGE, total, ROWS_PER_PAGE))
            for name, total in totals.items()
        )
        workers = (fetch_pages(session, task, pages, files) for _ in range(CONNECTIONS))
        await asyncio.gather(*workers)
        for file in files.values():
            file.close()


async def token(session: aiohttp.ClientSession, task: Task) -> str:
    """Sign in."""
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    async with session.post(task.token_url, data=form) as response:
        return str(json.loads(await response.read())["access_token"])


async def first_page(
    session: aiohttp.ClientSession, task: Task, resource: str, file: BinaryIO
) -> int:
    """Read the first page, and return the API's total."""
    body = await fetch_page(session, task, resource, 0)
    file.write(body + b"\n")
    return int(json.loads(body)["total"])


async def fetch_pages(
    session: aiohttp.ClientSession,
    task: Task,
    pages: Iterator[tuple[str, int]],
    files: dict[str, BinaryIO],
) -> None:
    """Read pages that no other worker has taken, until there are none."""
    for resource, offset in pages:
        files[resource].write(await fetch_page(session, task, resource, offset) + b"\n")


async def fetch_page(
    session: aiohttp.ClientSession, task: Task, resource: str, offset: int
) -> bytes:
    """Read one page as it comes."""
    url = f"{task.base_url}/v1/{resource}?offset={offset}&limit={ROWS_PER_PAGE}"
    async with session.get(url) as response:
        response.raise_for_status()
        return await response.read()


def stage(connection: duckdb.DuckDBPyConnection, resource: str, bodies: Path) -> None:
    """Read a resource's responses into a temporary table."""
    row = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    connection.execute(f"CREATE TEMP TABLE staged_{resource} ({row})")
    connection.execute(
        f"INSERT INTO staged_{resource} SELECT unnest(data, recursive := true) FROM read_json("
        f"'{bodies}', format = 'newline_delimited', maximum_object_size = {LARGEST_BODY}, "
        f"columns = {{data: 'STRUCT({row})[]', total: 'BIGINT'}})"
    )
    bodies.unlink()


def merge(connection: duckdb.DuckDBPyConnection, task: Task) -> None:
    """Put the rows in place of those with the same `id`, all resources in one transaction."""
    connection.execute("BEGIN")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {DATASET}")
    for resource in task.names:
        table, staged = f"{DATASET}.{resource}", f"staged_{resource}"
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} AS FROM {staged} LIMIT 0")
        connection.execute(f"DELETE FROM {table} WHERE id IN (SELECT id FROM {staged})")
        connection.execute(
            f"INSERT INTO {table} FROM {staged} "
            "QUALIFY row_number() OVER (PARTITION BY id ORDER BY updated_at DESC) = 1"
        )
    connection.execute("COMMIT")


if __name__ == "__main__":
    main()
