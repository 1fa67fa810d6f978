"""The report: figures, their limits, tables and charts."""

from pathlib import Path

from analytics_assets_tests.project.benchmarks.cases import Case
from analytics_assets_tests.project.benchmarks.loaders.loader import (
    DAGSTER,
    DAGSTER_BEFORE,
    FLOOR,
    OWN,
    OWN_BEFORE,
    STOCK,
    STOCK_DAGSTER,
)
from analytics_assets_tests.project.benchmarks.measurement.figures import Figures, Measurement
from analytics_assets_tests.project.benchmarks.measurement.merging import Merge
from analytics_assets_tests.project.benchmarks.measurement.run import Result
from analytics_assets_tests.project.benchmarks.measurement.start_up import StartUp
from analytics_assets_tests.project.benchmarks.report.chart import draw_merges, draw_throughput
from analytics_assets_tests.project.benchmarks.report.outcomes import outcomes
from analytics_assets_tests.project.benchmarks.report.tables import Surroundings, rendered
from analytics_assets_tests.project.benchmarks.report.targets import (
    Limit,
    cpu_against,
    dagster_cpu_against_baseline,
    dagster_cpu_against_stock,
    peak_memory,
    time_against,
)

ROWS = 300
SURROUNDINGS = Surroundings(
    "2026-01-31",
    "a machine",
    "versions",
    "It was idle.",
    12.5,
    "it.png",
    "curve.png",
    100,
    "install",
)


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


def test_a_target_is_compared_with_the_figure_of_its_title() -> None:
    own = Figures([Measurement(1000, 2, 5, 300 * 10**6)])  # with 2.5 cores
    taken = {
        FLOOR: figures(1),
        STOCK: figures(10),
        OWN: own,
        STOCK_DAGSTER: figures(14),
        DAGSTER: figures(11),
        OWN_BEFORE: figures(8),
        DAGSTER_BEFORE: figures(16),
    }
    assert time_against(STOCK, 9).figure(taken) == 5
    assert cpu_against(STOCK, 9).figure(taken) == 2
    assert cpu_against(FLOOR, 9).figure(taken) == 0.2
    assert peak_memory(400).figure(taken) == 300
    assert dagster_cpu_against_stock(2).figure(taken) == 1.5  # 6 s to 4 s
    assert dagster_cpu_against_baseline(2).figure(taken) == 0.75  # 6 s to 8 s


def test_a_limit_is_reached_or_not() -> None:
    lower, upper = (Limit("figure", " s", 5, at_least=at_least) for at_least in (True, False))
    assert [lower.is_reached_by(found) for found in (4.9, 5, 5.1)] == [False, True, True]
    assert [upper.is_reached_by(found) for found in (4.9, 5, 5.1)] == [True, True, False]


def test_a_first_load_is_compared_with_copy_and_with_a_tenth_of_its_rows() -> None:
    merged = [
        Merge("duckdb", 1_000_000, 1, 1.0, 1.0),
        Merge("postgres", 100_000, 1, 1.0, 1.0, 0.1),
        Merge("postgres", 1_000_000, 1, 6.0, 1.0, 2.0),
        Merge("postgres", 10_000_000, 1, 66.0, 1.0, 44.0),
    ]
    found = [(outcome.case, outcome.found) for outcome in outcomes([], merged, [])]
    assert found == [
        ("1,000,000 rows, first load, postgres", 3),
        ("10,000,000 rows, first load, postgres", 1.5),
        ("10,000,000 rows, first load, postgres", 11),
    ]


def test_the_readme_compares_each_figure_with_its_target(tmp_path: Path) -> None:
    targets = (cpu_against(STOCK, 3), peak_memory(50), dagster_cpu_against_stock(2))
    case = Case("few", ROWS, targets=targets)
    results = [Result(case, {STOCK: figures(8), OWN: figures(2)})]
    merged = [Merge("duckdb", 1000, 10, 2.5, 0.001), Merge("postgres", 1000, 10, 2.5, 0.001, 1.5)]
    started = [StartUp(4, 1.5, 0.25), StartUp(500, 1.5, 3.5)]
    text = rendered(results, merged, started, SURROUNDINGS)
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    to_stock = ["300 rows", "CPU of stock dlt, to its own", "at least 3 times", "4 times", "yes"]
    assert to_stock in lines
    assert ["300 rows", "peak memory", "at most 50 MB", "100 MB", "NO"] in lines
    slow = ["definitions of 500 resources", "beyond the imports", "at most 3 s", "3.5 s", "NO"]
    assert slow in lines
    assert ["4", "1.50", "0.25"] in lines
    assert "that Dagster adds" not in text  # nobody loaded through Dagster
    stock = [
        "300 rows",
        "stock dlt",
        "3",
        "8.00",
        "125",
        "8.00",
        "100",
        "1.00",
        "1.00",
        "",
        "",
        "",
        "",
        "",
        "8.00",
    ]
    assert stock in lines
    assert ["duckdb", "1,000", "2.50", "", "10", "0.00", "100"] in lines
    assert ["postgres", "1,000", "2.50", "1.50", "10", "0.00", "100"] in lines
    draw_throughput(results, tmp_path / "it.png", "title", "note")
    draw_merges(merged, tmp_path / "curve.png", "title", "note")
    for picture in ("it.png", "curve.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
