"""The benchmark: each loader is measured once it has loaded every row."""

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from analytics_assets_tests.project.benchmarks.__main__ import choose
from analytics_assets_tests.project.benchmarks.cases import CASES, Case
from analytics_assets_tests.project.benchmarks.errors import BenchmarkError
from analytics_assets_tests.project.benchmarks.loaders.endpoint import CURSOR, PAGE_NUMBER, POST
from analytics_assets_tests.project.benchmarks.loaders.loader import (
    DAGSTER,
    FLOOR,
    OWN,
    OWN_BEFORE,
    STOCK,
    STOCK_DAGSTER,
    Loader,
)
from analytics_assets_tests.project.benchmarks.loaders.stages import STAGES
from analytics_assets_tests.project.benchmarks.loaders.task import NONE, OLDER, RESOURCES
from analytics_assets_tests.project.benchmarks.measurement.merging import (
    CHANGED,
    POSTGRES,
    WAREHOUSES,
    merges,
)
from analytics_assets_tests.project.benchmarks.measurement.run import ROOT, measure, rows_in, run
from analytics_assets_tests.project.benchmarks.measurement.start_up import start_ups
from analytics_assets_tests.project.benchmarks.server import nginx
from analytics_assets_tests.project.benchmarks.server.pages import Dataset, provide_pages
from analytics_assets_tests.project.benchmarks.server.python_server import serving_from_python

ROWS = 300
FEW = Case("few", ROWS, resources=2, waits=True)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    provide_pages(folder, Dataset(ROWS))
    return folder


@pytest.fixture
def server(pages: Path) -> Iterator[str]:
    serving = nginx.serving if nginx.find_nginx() else serving_from_python
    with serving(pages) as url:
        yield url


@pytest.mark.parametrize(
    "loader",
    [
        FLOOR,
        *(
            pytest.param(each, marks=pytest.mark.e2e)
            for each in (STOCK, OWN, STOCK_DAGSTER, DAGSTER)
        ),
    ],
    ids=lambda loader: loader.name,
)
def test_every_loader_loads_all_rows_and_measures_its_stages(
    loader: Loader, server: str, tmp_path: Path
) -> None:
    taken = run(loader, FEW, server, tmp_path)
    for resource in RESOURCES[: FEW.resources]:
        assert rows_in(tmp_path / "loaded.duckdb", resource) == (ROWS, ROWS)
    assert taken.rows == 2 * ROWS
    assert set(taken.stages) == set(STAGES)
    assert all(0 < seconds < taken.seconds for seconds in taken.stages.values())
    assert taken.cpu_seconds > 0
    assert taken.peak_bytes > 20_000_000


@pytest.mark.e2e
@pytest.mark.parametrize(
    "case",
    [
        Case("new field", ROWS, paging=POST, contract=OLDER),
        Case("nested", ROWS, paging=CURSOR, contract=NONE, nested=True),
        Case("pages", ROWS, paging=PAGE_NUMBER, nested=True),
    ],
    ids=lambda case: case.name,
)
def test_this_project_loads_all_rows_in_each_configuration(
    case: Case, pages: Path, server: str, tmp_path: Path
) -> None:
    provide_pages(pages, case.dataset)
    run(OWN, case, server, tmp_path)
    found = rows_in(tmp_path / "loaded.duckdb", RESOURCES[0], "is_returning")
    assert found == (ROWS, 2)


def test_each_way_of_paging_leads_to_the_same_pages(server: str) -> None:
    url = f"{server}/{Dataset(ROWS).name}/v1/{RESOURCES[0]}"
    posted = json.dumps({"limit": 100, "offset": 100}).encode()
    past_the_end = json.dumps({"limit": 100, "offset": ROWS}).encode()

    second = [_page(f"{url}?{query}") for query in ("offset=100", "page=1", "cursor=after_100")]
    last = [_page(f"{url}?offset=200"), _page(f"{url}?page=2"), _page(f"{url}?cursor=after_200")]
    end = [_page(f"{url}?offset=300"), _page(f"{url}?page=3")]

    assert [*second, _page(url, posted)] == [second[0]] * 4
    assert [row["id"][-3:] for row in second[0]["data"]] == [str(n) for n in range(100, 200)]
    assert (second[0]["total"], second[0]["pages"], second[0]["next"]) == (300, 3, "after_200")
    assert [page["next"] for page in last] == [None] * 3
    assert [page["data"] for page in [*end, _page(url, past_the_end)]] == [[]] * 3
    assert _page(url) == _page(f"{url}?page=0") == _page(f"{url}?offset=0")


def _page(url: str, body: bytes | None = None) -> Any:
    with urlopen(Request(url, body)) as response:
        return json.load(response)


def test_a_second_run_leaves_each_row_once(server: str, tmp_path: Path) -> None:
    run(FLOOR, Case("again", ROWS, second_run=True), server, tmp_path)
    assert rows_in(tmp_path / "loaded.duckdb", RESOURCES[0]) == (ROWS, ROWS)


def test_each_loader_runs_once_in_each_round(server: str, tmp_path: Path) -> None:
    case = Case("floor alone", ROWS, loaders=(FLOOR,))
    (result,) = measure([case], server, rounds=2, places=tmp_path)
    assert [len(figures.runs) for figures in result.figures.values()] == [2]
    assert result.case is case


def test_a_slow_loader_runs_in_the_first_round_alone(server: str, tmp_path: Path) -> None:
    case = Case("floor once", ROWS, loaders=(FLOOR,), once=(FLOOR,))
    (result,) = measure([case], server, rounds=2, places=tmp_path)
    assert [len(figures.runs) for figures in result.figures.values()] == [1]


def test_a_loader_of_the_baseline_runs_with_its_checkout(server: str, tmp_path: Path) -> None:
    here, baseline = ROOT / "analytics_assets_tests/project/benchmarks", tmp_path / "checkout"
    there = baseline / here.relative_to(ROOT)
    for file in ("loaders/stages.py", "measurement/resource_usage.py"):
        (there / file).parent.mkdir(parents=True)
        shutil.copy(here / file, there / file)
    floor = there / "loaders/floor.py"
    floor.write_text('raise SystemExit("this is the other checkout")', encoding="utf-8")
    before = replace(FLOOR, name="floor_before", file=FLOOR.name, of_baseline=True)
    with pytest.raises(BenchmarkError, match="this is the other checkout"):
        run(before, Case("few", ROWS), server, tmp_path, baseline)


def test_the_baseline_is_measured_beside_the_loaders_that_it_has() -> None:
    [case] = choose(["dagster"], ["this_project", "stock_dlt"], None, with_baseline=True)
    assert case.loaders == (STOCK, OWN, OWN_BEFORE)
    assert choose(["5m"], None, 1000)[0].rows == 1000
    assert not any(case.on_demand for case in choose(None, None, None))


def test_a_loader_that_loses_a_row_aborts_the_benchmark(
    pages: Path, server: str, tmp_path: Path
) -> None:
    provide_pages(pages, Dataset(ROWS - 100)).rename(pages / Dataset(400).name)
    with pytest.raises(BenchmarkError, match="floor left 200 rows with 200 keys in website_over"):
        run(FLOOR, Case("fewer than said", 400), server, tmp_path)


def test_a_loader_that_fails_aborts_the_benchmark_with_its_error(
    server: str, tmp_path: Path
) -> None:
    with pytest.raises(BenchmarkError, match=r"floor ended with 1: (.|\n)*404"):
        run(FLOOR, Case("no such rows", 500), server, tmp_path)


def test_a_loader_that_hangs_aborts_the_benchmark_with_its_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics_assets_tests.project.benchmarks.measurement.run.PATIENCE", 1.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(BenchmarkError, match=r"no output in 2 s(.|\n)*floor\.py"):
            run(FLOOR, Case("no answer", 1), url, tmp_path)


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_merges_are_measured_on_each_warehouse(warehouse: str) -> None:
    (found,) = merges([ROWS], [warehouse])

    assert (found.rows, found.changed) == (ROWS, ROWS // CHANGED)
    assert found.seconds > 0
    assert found.first_seconds > 0
    assert bool(found.copy_seconds) == (warehouse == POSTGRES)


@pytest.mark.e2e
def test_loading_definitions_is_measured_beyond_the_imports() -> None:
    (found,) = start_ups([5], rounds=1)

    assert found.resources == 5
    assert found.imports > 0
    assert found.seconds > 0


def test_names_of_cases_differ() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
