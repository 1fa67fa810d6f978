"""Pipes, steps and cursors of dlt 1.31: a test fails where another version changes them."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dlt
import pyarrow as pa
import pytest
from dlt.extract import DltResource, DltSource
from dlt.extract.items import SupportsPipe
from dlt.sources.rest_api import rest_api_resources
from dlt.sources.rest_api.config_setup import create_response_hooks

from analytics_assets.extract import compat
from analytics_assets.extract.rows.pipe_step import PipeStep

URL = "http://model"


def numbers() -> DltResource:
    return dlt.resource(iter([[1], [2]]), name="numbers")


def test_resource_pipe_is_the_pipe_that_its_steps_are_bound_to() -> None:
    bound = []

    class Seen(PipeStep):
        def bind(self, pipe: SupportsPipe) -> PipeStep:
            bound.append(pipe.name)
            return self

    resource = numbers().add_step(Seen())
    assert list(resource) == [1, 2]
    assert bound == [compat.pipe_of(resource).name]
    assert isinstance(compat.steps_of(compat.pipe_of(resource))[0], Seen)


def test_pipe_replace_gen_takes_the_place_of_a_generator() -> None:
    resource = numbers()
    generator = compat.generator_of(resource._pipe)

    def doubled() -> Iterator[list[int]]:
        yield from ([2 * number for number in numbers] for numbers in generator)

    compat.replace_generator(resource._pipe, doubled())

    assert list(resource) == [2, 4]


def test_limit_item_is_what_add_limit_leaves_among_the_steps_of_a_pipe() -> None:
    resource = numbers()
    assert compat.steps_of(resource._pipe) == []

    resource.add_limit(1)

    (step,) = compat.steps_of(resource._pipe)
    assert isinstance(step, compat.LimitStep)
    assert compat.generator_of(resource._pipe) not in compat.steps_of(resource._pipe)


def test_incremental_resource_wrapper_is_in_each_pipe_of_the_rest_source() -> None:
    entry = {"name": "orders", "endpoint": {"path": "orders"}}
    config: Any = {"client": {"base_url": URL}, "resources": [entry]}
    (orders,) = rest_api_resources(config)

    (step,) = compat.steps_of(orders._pipe)
    assert isinstance(step, compat.IncrementalStep)
    assert compat.incremental_of(orders._pipe) is None

    orders.apply_hints(incremental=dlt.sources.incremental("at"))

    (step,) = compat.steps_of(orders._pipe)
    assert isinstance(step, compat.IncrementalStep)
    assert compat.incremental_of(orders._pipe)


class ForkCheck(PipeStep):
    """Notes whether rows go to the resource's own table."""

    def __init__(self, found: list[bool]) -> None:
        super().__init__()
        self._found = found

    def bind(self, pipe: SupportsPipe) -> "ForkCheck":
        self._pipe = pipe
        return self

    def __call__(self, item: Any, meta: Any = None) -> Any:
        self._found.append(compat.is_loaded(self._pipe))
        return item


@pytest.mark.parametrize(
    ("selected", "is_loaded"), [(("numbers", "twice"), True), (("twice",), False)]
)
def test_fork_pipe_is_the_last_step_of_a_parent(selected: tuple[str, ...], is_loaded: bool) -> None:
    found: list[bool] = []
    parent = numbers().add_step(ForkCheck(found))
    child = parent | dlt.transformer(lambda number: number * 2, name="twice")
    source = DltSource(dlt.Schema("numbers"), "numbers", [parent, child])

    list(source.with_resources(*selected))

    assert set(found) == {is_loaded}


AT = dlt.sources.incremental("at", initial_value="2026-01-01")


def changes(start: list[Any], advance_to: str | None = None, reset: bool = False) -> DltResource:
    """A resource that notes the start of its incremental read, before its state changes."""

    @dlt.resource(name="changes")
    def read(at: Any = AT) -> Iterator[Any]:
        start.append(at.start_value)
        yield []

    class Change(PipeStep):
        placement_affinity = -0.95

        def bind(self, pipe: SupportsPipe) -> "Change":
            self._pipe = pipe
            if reset:
                compat.reset_state(pipe.name)
            return self

        def __call__(self, item: Any, meta: Any = None) -> Any:
            compat.advance_incremental(self._pipe, advance_to)
            return item

    return read().add_step(Change(), insert_at=1)


def test_incremental_of_a_wrapper_can_be_advanced_and_the_state_of_a_resource_be_reset() -> None:
    pipeline = dlt.pipeline("changes", destination="duckdb", dataset_name="changes")
    starts: list[Any] = []

    pipeline.extract(changes(starts, advance_to="2026-01-05"))
    pipeline.extract(changes(starts))
    pipeline.extract(changes(starts, reset=True))
    pipeline.extract(changes(starts))

    assert starts == ["2026-01-01", "2026-01-05", "2026-01-01", "2026-01-01"]


def test_response_actions_become_a_hook_each_before_one_of_dlts_own() -> None:
    hooks = create_response_hooks([{"status_code": 404, "action": "ignore"}, lambda *_, **__: None])

    assert hooks is not None
    assert len(hooks["response"]) == 3


def test_arrow_extractor_warns_of_texts_in_a_json_column() -> None:
    messages: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    def extract(name: str) -> None:
        columns: Any = {"free": {"data_type": "json"}}
        table = pa.table({"free": ["{}"]})
        pipeline = dlt.pipeline("json_columns", destination="duckdb", dataset_name="json_columns")
        pipeline.extract(dlt.resource([table], name=name, columns=columns))

    logger, listening = logging.getLogger("dlt"), Listening(logging.WARNING)
    logger.addHandler(listening)
    try:
        extract("loud")
        compat.silence_json_warnings("silent")
        extract("silent")
    finally:
        logger.removeHandler(listening)

    assert len(messages) == 1
    assert "loud" in messages[0]


def test_item_transform_steps_are_bound_before_a_read_and_ordered_by_their_affinity() -> None:
    events: list[str] = []

    class Early(compat.Step):
        placement_affinity = -0.9

        def bind(self, pipe: SupportsPipe) -> "Early":
            events.append("bound")
            self._custom_metrics = {"items": 0}
            return self

        def __call__(self, item: Any, meta: Any = None) -> Any:
            events.append("early")
            self._custom_metrics["items"] += 1
            return item

    class Late(PipeStep):
        placement_affinity = 1.2

        def __call__(self, item: Any, meta: Any = None) -> Any:
            events.append("late")
            return item

    resource = numbers().add_step(Late()).add_step(Early(lambda item: item))
    pipeline = dlt.pipeline("steps", destination="duckdb", dataset_name="steps")

    [steps] = pipeline.extract(resource).metrics.values()

    assert events == ["bound", "early", "late", "early", "late"]
    [metrics] = [
        each["resource_metrics"] for each in steps if "numbers" in each["resource_metrics"]
    ]
    assert metrics["numbers"].custom_metrics["items"] == 2


def test_current_load_package_state_is_not_available_outside_a_load() -> None:
    assert compat.load_id() is None

    @dlt.resource(name="numbers")
    def of_a_load() -> Iterator[list[Any]]:
        yield [{"load": compat.load_id()}]

    pipeline = dlt.pipeline("ids", destination="duckdb", dataset_name="ids")
    extracted = pipeline.extract(of_a_load())

    assert compat.load_id() is None
    assert extracted.loads_ids == [*extracted.metrics]


def test_dlt_columns_are_those_that_dlt_adds_to_rows() -> None:
    pipeline = dlt.pipeline("columns", destination="duckdb", dataset_name="columns")
    pipeline.extract(dlt.resource([{"id": 1}], name="orders"))
    pipeline.normalize()

    columns = pipeline.default_schema.tables["orders"]["columns"]
    for name, hint in compat.DLT_COLUMNS.items():
        assert columns[name] == hint


def test_pipe_iterator_asks_the_next_resource_if_one_has_no_item_yet() -> None:
    asked = []

    def items(name: str) -> Iterator[Any]:
        for item in (None, None, name):
            asked.append(name)
            yield item

    resources = [dlt.resource(items(name), name=name) for name in ("first", "second")]
    source = DltSource(dlt.Schema("asked"), "asked", resources)

    assert list(source) == ["first", "second"]
    assert asked[:2] == ["first", "second"]


def test_container_finds_the_context_of_a_load_in_threads_of_such_a_name() -> None:
    found = []

    @dlt.resource(name="numbers")
    def of_a_load() -> Iterator[list[Any]]:
        for name in (compat.extract_threads(), "other"):
            with ThreadPoolExecutor(1, name) as thread:
                found.append(thread.submit(compat.load_id).result())
        yield [{"id": 1}]

    [load] = dlt.pipeline("ids", destination="duckdb").extract(of_a_load()).loads_ids

    assert found == [load, None]
