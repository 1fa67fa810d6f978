"""The benchmark: each loader is measured once it has loaded every row."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from analytics_assets_tests.benchmarks.cases import CASES, Case
from analytics_assets_tests.benchmarks.errors import BenchmarkError
from analytics_assets_tests.benchmarks.loaders.loader import DAGSTER, FLOOR, OWN, STOCK, Loader
from analytics_assets_tests.benchmarks.loaders.stages import STAGES
from analytics_assets_tests.benchmarks.loaders.task import RESOURCES
from analytics_assets_tests.benchmarks.measurement.figures import Figures, Measurement
from analytics_assets_tests.benchmarks.measurement.merging import CHANGED, WAREHOUSES, Merge, merges
from analytics_assets_tests.benchmarks.measurement.run import Result, measure, rows_in, run
from analytics_assets_tests.benchmarks.measurement.start_up import StartUp, start_ups
from analytics_assets_tests.benchmarks.report.chart import draw_merges, draw_throughput
from analytics_assets_tests.benchmarks.report.tables import Surroundings, rendered
from analytics_assets_tests.benchmarks.report.targets import (
    cost_of_dagster,
    peak_memory,
    speed_against,
)
from analytics_assets_tests.benchmarks.server import nginx
from analytics_assets_tests.benchmarks.server.pages import provide_pages

ROWS = 300
FEW = Case("few", ROWS, resources=2, waits=True)
SURROUNDINGS = Surroundings(
    "2026-01-31", "a machine", "versions", "It was idle.", "it.png", "curve.png", 100, "install"
)


@contextmanager
def serving_from_python(pages: Path) -> Iterator[str]:
    """Serve the same pages as nginx; for machines without it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet, or the client waits for the second

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            rows = address.path.removeprefix("/lat").split("/")[1]
            offset = parse_qs(address.query).get("offset", ["0"])[0]
            page = pages / rows / f"{offset}.json"
            self.answer(page if page.exists() else pages / rows / "end.json")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send(200, b'{"access_token": "static", "expires_in": 36000}')

        def answer(self, page: Path) -> None:
            self.send(200, page.read_bytes()) if page.exists() else self.send(404, b"{}")

        def send(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=partial(server.serve_forever, poll_interval=0.01))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    provide_pages(folder, ROWS)
    return folder


@pytest.fixture
def server(pages: Path) -> Iterator[str]:
    serving = nginx.serving if nginx.find_nginx() else serving_from_python
    with serving(pages) as url:
        yield url


@pytest.mark.parametrize(
    "loader",
    [FLOOR, *(pytest.param(each, marks=pytest.mark.e2e) for each in (STOCK, OWN, DAGSTER))],
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


def test_a_second_run_leaves_each_row_once(server: str, tmp_path: Path) -> None:
    run(FLOOR, Case("again", ROWS, second_run=True), server, tmp_path)
    assert rows_in(tmp_path / "loaded.duckdb", RESOURCES[0]) == (ROWS, ROWS)


def test_each_loader_runs_once_in_each_round(server: str, tmp_path: Path) -> None:
    case = Case("floor alone", ROWS, loaders=(FLOOR,))
    (result,) = measure([case], server, rounds=2, places=tmp_path)
    assert [len(figures.runs) for figures in result.figures.values()] == [2]
    assert result.case is case


def test_a_loader_that_loses_a_row_aborts_the_benchmark(
    pages: Path, server: str, tmp_path: Path
) -> None:
    provide_pages(pages, ROWS - 100).rename(pages / "400")
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
    monkeypatch.setattr("analytics_assets_tests.benchmarks.measurement.run.PATIENCE", 1.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(BenchmarkError, match=r"no output in 2 s(.|\n)*floor\.py"):
            run(FLOOR, Case("no answer", 1), url, tmp_path)


def figures(seconds: float, megabytes: int = 100) -> Figures:
    """The figures of three runs, with this one in the middle."""
    return Figures(
        [
            Measurement(1000, seconds * part, seconds, megabytes * 10**6, {"load": seconds * part})
            for part in (0.5, 1, 20)
        ]
    )


def test_figures_are_medians() -> None:
    taken = figures(seconds=2)
    assert taken.seconds == 2
    assert taken.rows_per_second == 500
    assert taken.stages == {"load": 2}


def test_a_target_is_reached_or_not() -> None:
    taken = {FLOOR: figures(1), STOCK: figures(10), OWN: figures(2, 300), DAGSTER: figures(11)}
    assert speed_against(STOCK, 5).is_reached_by(taken)
    assert not speed_against(STOCK, 5.1).is_reached_by(taken)
    assert speed_against(FLOOR, 0.5).is_reached_by(taken)
    assert peak_memory(300).is_reached_by(taken)
    assert not peak_memory(299).is_reached_by(taken)
    assert cost_of_dagster(9).is_reached_by(taken)
    assert not cost_of_dagster(8.9).is_reached_by(taken)


def test_the_readme_compares_each_figure_with_its_target(tmp_path: Path) -> None:
    case = Case("few", ROWS, targets=(speed_against(STOCK, 3), peak_memory(50), cost_of_dagster(8)))
    results = [Result(case, {STOCK: figures(8), OWN: figures(2)})]
    merged = [Merge("duckdb", 1000, 10, 2.5, 0.001)]
    started = [StartUp(4, 1.5, 0.25), StartUp(500, 1.5, 3.5)]
    text = rendered(results, merged, started, SURROUNDINGS)
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["300 rows", "speed against stock dlt", "at least 3 times", "4 times", "yes"] in lines
    assert ["300 rows", "peak memory", "at most 50 MB", "100 MB", "NO"] in lines
    slow = ["definitions of 500 resources", "beyond the imports", "at most 3 s", "3.5 s", "NO"]
    assert slow in lines
    assert ["4", "1.50", "0.25"] in lines
    assert "what Dagster adds" not in text  # nobody loaded through Dagster
    stock = [
        "300 rows",
        "stock dlt",
        "3",
        "8.00",
        "125",
        "8.00",
        "100",
        "1.00",
        "",
        "",
        "",
        "",
        "8.00",
    ]
    assert stock in lines
    assert ["duckdb", "1,000", "2.50", "10", "0.00", "100"] in lines
    draw_throughput(results, tmp_path / "it.png", "title", "note")
    draw_merges(merged, tmp_path / "curve.png", "title", "note")
    for picture in ("it.png", "curve.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_merges_are_measured_on_each_warehouse(warehouse: str) -> None:
    (found,) = merges([ROWS], [warehouse])

    assert (found.rows, found.changed) == (ROWS, ROWS // CHANGED)
    assert found.seconds > 0
    assert found.first_seconds > 0


@pytest.mark.e2e
def test_loading_definitions_is_measured_beyond_the_imports() -> None:
    (found,) = start_ups([5], rounds=1)

    assert found.resources == 5
    assert found.imports > 0
    assert found.seconds > 0


def test_names_of_cases_differ() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
