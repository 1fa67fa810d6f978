"""Undocumented interfaces of dlt 1.31 for reading an API, each with a test of dlt's behaviour.

Imports from `dlt.sources.rest_api`, `dlt.sources.helpers.rest_client.client` and `.paginators` in
other modules are documented: https://dlthub.com/docs/general-usage/http/rest-client
"""

import copy
import logging
from functools import cache
from typing import Any

import dlt
import requests
from dlt.common.configuration.container import Container
from dlt.common.schema.typing import C_DLT_ID, TTableSchemaColumns
from dlt.common.schema.utils import dlt_id_column, dlt_load_id_column
from dlt.common.storages.exceptions import CurrentLoadPackageStateNotAvailable
from dlt.extract import DltResource
from dlt.extract.incremental import IncrementalResourceWrapper
from dlt.extract.items_transform import FilterItem, ItemTransform, LimitItem, MapItem, YieldMapItem
from dlt.extract.pipe import ForkPipe, Pipe
from dlt.extract.state import reset_resource_state
from dlt.sources.helpers.rest_client.detector import (
    PaginatorFactory,
    find_response_page_data,
    single_entity_path,
)
from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api.config_setup import create_paginator

# raised by dlt 1.31 from a hook for a status that `response_actions` ignore; it ends the read
IgnoredResponse = IgnoreResponseException

# returns the path at which dlt 1.31 detects the rows of the first page, and the value there
detected_rows = find_response_page_data

# removes the state of a resource within a load; dlt 1.31 documents only a reset of sources
reset_state = reset_resource_state

# a step of a resource: dlt 1.31 binds it to its pipe before a read, and orders it by its affinity
Step = ItemTransform[Any, dict[str, Any]]
# the steps of `add_limit`, `add_filter`, `add_map` and `add_yield_map` (behind later pages), and
# the one in each pipe for an `incremental`: dlt 1.31 shows by them alone what a resource has
LimitStep, FilterStep, MapStep, YieldStep = LimitItem, FilterItem, MapItem, YieldMapItem
IncrementalStep = IncrementalResourceWrapper

# the columns that dlt 1.31 adds to rows, but not to Arrow tables unless a setting says so; as it
# infers them, without the length and the description that it gives them in Arrow tables
_AS_INFERRED = ("name", "data_type", "nullable", "unique", "row_key")
DLT_COLUMNS: TTableSchemaColumns = {
    str(column["name"]): {key: column[key] for key in _AS_INFERRED if key in column}  # type: ignore[misc, literal-required]
    for column in (dlt_load_id_column(), dlt_id_column())
}

# dlt 1.31 keeps a row's own `_dlt_id`; by this hint, a merge loads the last row of each key
NUMBERED_ROWS: TTableSchemaColumns = {
    C_DLT_ID: {**DLT_COLUMNS[C_DLT_ID], "dedup_sort": "desc"},
}

_HINTS_DIFFER = "In resource: {}, when merging arrow schema with dlt schema, several column hints"


def configured_paginator(paginator: Any, path: str) -> BasePaginator | None:
    """Make the paginator that dlt would make of an entry.

    dlt 1.31 makes it in `config_setup.create_paginator`, and takes a path with a placeholder at its
    end for that of a single object.

    Args:
        paginator: the `paginator` of the entry; None if it has none.
        path: the entry's path.

    Returns:
        The paginator; None if dlt detects it in the first page.

    Raises:
        ValueError: dlt does not know the type.
        TypeError: dlt does not know an option of it.
    """
    if not paginator and single_entity_path(path):
        paginator = "single_page"
    return create_paginator(copy.deepcopy(paginator))


def detected_paginator(response: requests.Response) -> BasePaginator | None:
    """Return the paginator that dlt detects in a page.

    dlt 1.31 does so in its client alone, where the configuration names no paginator at all.
    """
    paginator, _ = PaginatorFactory().create_paginator(response)
    return paginator


def pipe_of(resource: DltResource) -> Any:
    """Return the pipe of a resource.

    dlt 1.31 hands it to the steps of a resource that is read, and has no public name for it.
    """
    return resource._pipe


def generator_of(pipe: Any) -> Any:
    """Return the generator of a resource's items, or its function of a parent's item.

    dlt 1.31 has no step that sees the end of a resource's items; `Pipe.replace_gen`, by which its
    own `LimitItem` works, is not documented.
    """
    assert isinstance(pipe, Pipe), "dlt has one kind of pipe"
    return pipe.gen


def replace_generator(pipe: Any, generator: Any) -> None:
    """Replace the generator of a resource; see `generator_of`."""
    pipe.replace_gen(generator)


def steps_of(pipe: Any) -> list[Any]:
    """Return the steps of a resource's pipe, without its generator."""
    return [step for step in pipe.steps if step is not pipe.gen]


def load_id() -> str | None:
    """Return the load that dlt is extracting for; None outside a load.

    dlt 1.31 documents `current.load_package_state`, but not what it raises outside a load.
    """
    try:
        return str(dlt.current.load_package_state()["load_id"])
    except CurrentLoadPackageStateNotAvailable:
        return None


def is_loaded(pipe: Any) -> bool:
    """Test if the rows of a pipe go to its own table, and not only to other resources.

    dlt 1.31 ends the pipe of a parent with a `ForkPipe` before it reads, and has no other sign
    of it.
    """
    assert isinstance(pipe, Pipe), "dlt has one kind of pipe"
    last = pipe.steps[-1]
    return not isinstance(last, ForkPipe) or last.has_pipe(pipe)


def incremental_of(pipe: Any) -> Any:
    """Return the `incremental` of a resource; None without one, and before a transformer's first.

    dlt 1.31 publishes no way from a step to it.
    """
    steps = [step for step in pipe.steps if isinstance(step, IncrementalStep)]
    return next((step.incremental for step in steps if step.incremental), None)


def advance_incremental(pipe: Any, value: str | None) -> None:
    """Set the cursor of a resource's `incremental`; None leaves it as it is.

    dlt 1.31 documents `Incremental.advance`, but no way from a step to the `incremental`.
    """
    if incremental := incremental_of(pipe):
        incremental.advance(value)


def keep_newest(incremental: Any, value: Any) -> None:
    """Set the newest value of an `incremental` that has just been bound at an earlier one.

    dlt 1.31 binds that of a transformer with each call, at the newest value in its state, and then
    writes the newest value since that call into the state.
    """
    incremental.get_state()["last_value"] = value
    incremental._get_transform([]).last_value = value


def extract_threads() -> str:
    """Return the start of the name of a thread that belongs to a load.

    dlt 1.31 has a context for each thread, and one for all threads of such a name.
    """
    return Container.thread_pool_prefix()


@cache
def silence_json_warnings(resource: str) -> None:
    """Drop the warning of dlt 1.31, at each batch, that Arrow has texts in a JSON column.

    Arrow has no type for JSON, so that the hints always differ: nothing is wrong.
    """
    warning = _HINTS_DIFFER.format(resource)
    logging.getLogger("dlt").addFilter(lambda made: not made.getMessage().startswith(warning))
