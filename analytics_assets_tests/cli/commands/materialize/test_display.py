"""The progress of the command, as a table on a terminal and as lines elsewhere."""

import re
from collections.abc import Iterator
from io import StringIO

import pytest
from rich.console import Console

from analytics_assets.cli.commands.materialize.display import (
    LINES_BESIDE,
    LineDisplay,
    displayed,
    drawn,
)
from analytics_assets.cli.commands.materialize.progress import CommandProgress
from analytics_assets.contract.resource import resource_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.orchestration.partitions.due import DueRun
from analytics_assets.orchestration.runs.progress import ENDED, FAILED, LoadProgress

VIEWS, SOURCES = (resource_of(API, name) for name in ("page_views", "traffic_sources"))
DAYS = ("2026-01-01", "2026-01-02")


@pytest.fixture
def connection() -> Iterator[Connection]:
    connection = connect({"base_url": "https://display.example.com"}, "analytics")
    yield connection
    connection.close()


@pytest.fixture
def progress() -> CommandProgress:
    """The progress of two runs, whose second one is for two partitions of two."""
    progress = CommandProgress([VIEWS, SOURCES])
    progress.begin("Loading page_views", has_loads=True)
    progress.plan([DueRun([VIEWS]), DueRun([SOURCES], DAYS)])
    return progress


def text_of(progress: CommandProgress, width: int = 100, height: int = 30) -> list[str]:
    """The lines that a terminal of this size shows."""
    output = StringIO()
    console = Console(file=output, width=width, height=height)
    console.print(drawn(progress, console))
    return [line.rstrip() for line in output.getvalue().splitlines() if line.strip()]


def cells_of(progress: CommandProgress, name: str) -> list[str]:
    [line] = [
        line for line in text_of(progress, 140) if line.strip().startswith(f"analytics/{name}")
    ]
    return re.split(r"\s{2,}", line.strip())[1:]


def test_a_load_shows_its_pages_its_rows_and_its_wait(
    progress: CommandProgress, connection: Connection
) -> None:
    load = LoadProgress(VIEWS, connection)
    progress.watch(load)
    assert cells_of(progress, "page_views")[-1] == "starting"
    load.begin("extract")
    for _ in range(31):
        connection.traffic.read_of("page_views").add_page(100, 12_400)
    pages, rows, _, _, state = cells_of(progress, "page_views")
    assert (pages, rows) == ("31", "3,100")
    assert state == "extracting 25% of 12,400 rows; waits for the API's answer"
    load.wait_for("run 7, which holds the table shop.orders")
    assert cells_of(progress, "page_views")[-1] == (
        "waits for run 7, which holds the table shop.orders"
    )


def test_what_is_not_under_way_is_queued_loaded_or_failed(
    progress: CommandProgress, connection: Connection
) -> None:
    assert cells_of(progress, "page_views") == ["queued"]
    assert cells_of(progress, "traffic_sources") == ["queued (0 of 2 partitions)"]
    load = LoadProgress(SOURCES, connection, DAYS)
    progress.watch(load)
    load.begin(ENDED)
    assert cells_of(progress, "traffic_sources")[-1] == "loaded (2 of 2 partitions)"
    load.begin(FAILED)
    assert cells_of(progress, "traffic_sources")[-1].startswith("failed")
    assert CommandProgress([VIEWS]).resources["analytics/page_views"].state == "nothing is due"


def test_a_run_that_loads_nothing_now_prepares_or_checks(
    progress: CommandProgress, connection: Connection
) -> None:
    assert text_of(progress)[0].startswith("Loading page_views: prepares the run (")
    load = LoadProgress(VIEWS, connection)
    progress.watch(load)
    assert text_of(progress)[0].startswith("Loading page_views (")
    load.begin(ENDED)
    assert text_of(progress)[0].startswith("Loading page_views: runs the checks (")
    progress.begin("Recording the loads")
    assert text_of(progress)[0].startswith("Recording the loads (")


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal(
    progress: CommandProgress, connection: Connection, width: int
) -> None:
    load = LoadProgress(SOURCES, connection, DAYS)
    progress.watch(load)
    load.wait_for("run 7 (process 12345 on a-host-with-a-long-name), which holds the table a.b")
    lines = text_of(progress, width)
    assert max(map(len, lines)) <= width
    assert len([line for line in lines if "analytics/" in line]) == 2


def test_a_low_terminal_shows_what_is_under_way(
    progress: CommandProgress, connection: Connection
) -> None:
    progress.watch(LoadProgress(SOURCES, connection, DAYS))
    lines = text_of(progress, height=LINES_BESIDE + 1)
    assert [line.split()[0] for line in lines[3:]] == ["analytics/traffic_sources", "and"]
    assert lines[-1] == "and 1 more table"


def test_elsewhere_each_load_is_a_line_without_control_characters(
    progress: CommandProgress, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    with displayed(progress, is_verbose=False) as display:
        display.refresh()
        progress.watch(LoadProgress(VIEWS, connection))
        connection.traffic.read_of("page_views").add_page(100)
        display.refresh()
        display.close()
    title, line = capsys.readouterr().out.splitlines()
    assert title == "[0 s] Loading page_views: prepares the run"
    numbers = r"\[0 s\] analytics/page_views: 100 rows, 1 page, [\d,]+ rows/s; starting"
    assert re.fullmatch(numbers, line)


def test_a_line_without_rows_yet_has_no_rate(
    progress: CommandProgress, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.watch(LoadProgress(VIEWS, connection))
    LineDisplay(progress).refresh()
    assert (
        capsys.readouterr().out.strip().endswith("analytics/page_views: 0 rows, 0 pages; starting")
    )


def test_no_line_is_printed_beside_the_log_of_the_runs(
    progress: CommandProgress, capsys: pytest.CaptureFixture[str]
) -> None:
    LineDisplay(progress, is_quiet=True).refresh()
    assert not capsys.readouterr().out
