"""Slopes: each measure gives figures of this checkout and of another one, which make a table."""

import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analytics_assets_tests.project.benchmarks.__main__ import main
from analytics_assets_tests.project.benchmarks.errors import BenchmarkError
from analytics_assets_tests.project.benchmarks.measurement.run import ROOT
from analytics_assets_tests.project.benchmarks.report.tables import WIDTH
from analytics_assets_tests.project.benchmarks.scale import command
from analytics_assets_tests.project.benchmarks.scale.api_server import (
    last_days,
    page,
    requests_of,
    serving,
)
from analytics_assets_tests.project.benchmarks.scale.command import (
    MEASURES,
    NAMES,
    chosen,
    measure_scale,
    take,
)
from analytics_assets_tests.project.benchmarks.scale.measure import Measure
from analytics_assets_tests.project.benchmarks.scale.measures import idle
from analytics_assets_tests.project.benchmarks.scale.project import Project
from analytics_assets_tests.project.benchmarks.scale.projections import (
    DAYS,
    DUCKDB,
    PROJECTIONS,
    projected,
)
from analytics_assets_tests.project.benchmarks.scale.record import BEFORE, NOW, Record, slope
from analytics_assets_tests.project.benchmarks.scale.table import (
    ARITHMETIC,
    BEGIN,
    END,
    FIGURES,
    PAGE,
    arithmetic,
    slopes,
    write,
)


def measure_of(take: Any) -> Measure:
    return Measure("loads", "Loads", "rows", (1, 3), take, "each further row")


@pytest.fixture
def record(tmp_path: Path) -> Record:
    kept = Record(tmp_path / "kept" / "scale.json")
    for size in (10, 50):
        kept.add("Loads", size, BEFORE, {"CPU s": 2 + size / 10, "runs": 1}, ROOT)
        kept.add("Loads", size, NOW, {"CPU s": 2 + size / 100, "runs": 1}, ROOT)
    return Record(tmp_path / "kept" / "scale.json")  # as the next command reads it


def test_what_each_further_one_adds_is_the_slope_of_the_figures(record: Record) -> None:
    [(name, seconds), (runs, _)] = record.series("Loads")

    assert (name, runs) == ("CPU s", "runs")
    assert slope(seconds, BEFORE, 1) == pytest.approx(0.1)
    assert slope(seconds, NOW, 1000) == pytest.approx(10)
    assert slope(seconds[:1], NOW, 1) is None


def test_a_table_has_both_checkouts_and_their_ratio(record: Record) -> None:
    table = slopes(record, [measure_of(None)])
    printed = StringIO()
    Console(file=printed, width=WIDTH).print(table)

    lines = [line.split() for line in printed.getvalue().splitlines()]
    assert ["10", "rows", "3", "2.1", "0.70"] in [line[-5:] for line in lines]
    assert ["each", "further", "row", "0.1", "0.01", "0.10"] in lines
    assert ["runs", "10", "rows", "1", "1", "1.00"] in lines
    assert lines[-1] != lines[-2]
    assert sum("further" in line for line in lines) == 1  # a count does not grow by parts


def test_the_page_keeps_its_text_around_the_figures(record: Record, tmp_path: Path) -> None:
    page_file = tmp_path / "scale.md"
    begin, end = BEGIN.format(FIGURES), END.format(FIGURES)
    page_file.write_text(f"# Scale\n\n{begin}\nolder figures\n{end}\n\nThe text.\n")

    write(tmp_path, {FIGURES: ["Made today.", slopes(record, [measure_of(None)])]})

    text = page_file.read_text()
    assert text.startswith(f"# Scale\n\n{begin}\nMade today.\n\n| measure ")
    assert text.endswith(f" |\n{end}\n\nThe text.\n")
    assert "older" not in text


def test_the_page_of_this_checkout_has_a_place_for_each_part(
    record: Record, tmp_path: Path
) -> None:
    shutil.copy(ROOT / "docs" / PAGE, tmp_path)
    write(tmp_path, {FIGURES: ["The figures."], ARITHMETIC: [arithmetic(record)]})
    assert "The figures." in (tmp_path / PAGE).read_text()


def test_a_folder_without_the_page_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"has no scale\.md to write into"):
        measure_scale(None, None, None, tmp_path)


def test_sizes_that_were_not_measured_are_on_the_line_of_the_others(tmp_path: Path) -> None:
    record = Record(tmp_path / "scale.json")
    for size in (100, 300):
        record.add(DAYS, size, NOW, {"due days, CPU s": 2 + size / 100}, ROOT)
        record.add(DUCKDB, size, NOW, {"second run, CPU s": 6 * size + 60}, ROOT)

    found = {question: now for question, before, now in projected(record) if before is None}

    assert [value for question, value in found.items() if "due days" in question] == [
        pytest.approx(36.52)
    ]
    assert found["a run of 1,000 resources, DuckDB, minutes of CPU"] == pytest.approx(101)


def test_each_projection_is_of_a_measure() -> None:
    assert {each.title for each in PROJECTIONS} <= {measure.title for measure in MEASURES}


def test_a_size_that_would_take_too_long_is_left_out_of_the_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    def figures(project: Project, size: int) -> Mapping[str, float]:
        taken.append((project.code.name, size))
        return {"CPU s": 1.0}

    monkeypatch.setattr(command, "LONGEST", 0.0)
    pair = [Project(ROOT, Path("base")), Project(ROOT, Path("here"))]
    monkeypatch.setattr(command, "projects", lambda _: nullcontext(pair))
    take([measure_of(figures)], ROOT, Record(tmp_path / "scale.json"))

    assert taken == [("base", 1), ("here", 1), ("here", 3)]


def test_a_measure_that_fails_leaves_the_figures_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_at_three(_: Project, size: int) -> Mapping[str, float]:
        if size == 3:
            raise BenchmarkError("the run failed")
        return {"CPU s": 1.0}

    monkeypatch.setattr(command, "projects", lambda _: nullcontext([Project(ROOT, Path("here"))]))
    record = Record(tmp_path / "scale.json")
    other = replace(measure_of(lambda *_: {"CPU s": 2.0}), title="Others")

    errors = take([measure_of(fails_at_three), other], None, record)

    assert errors == ["Loads: the run failed"]
    assert [taken.size for _, series in record.series("Loads") for taken in series] == [1]
    assert [taken.size for _, series in record.series("Others") for taken in series] == [1, 3]


def test_measures_are_chosen_by_name_and_size() -> None:
    assert [measure.sizes for measure in chosen(["resources"], [2])] == [[2], [2]]
    assert [measure.name for measure in chosen(None, None)] == [each.name for each in MEASURES]
    assert len({measure.title for measure in MEASURES}) == len(MEASURES)


def test_the_small_api_has_some_rows_a_day() -> None:
    first, second, third = (day.isoformat() for day in last_days(3))
    of_second = page(2, 3, {"start_date": second, "end_date": second})
    past_the_end = {"start_date": "2125-01-01", "end_date": "2125-01-02"}

    assert [row["date"] for row in of_second["data"]] == [second] * 2
    assert of_second["total"] == 2
    assert page(2, 3, {})["data"][0]["date"] == first
    assert [row["date"] for row in page(2, 3, {"offset": "4"})["data"]] == [third] * 2
    assert page(2, 3, past_the_end) == {"data": [], "total": 0}


def test_the_small_api_runs_in_a_process_and_counts_requests() -> None:
    with serving() as url:
        assert requests_of(url) == 0


# sizes by which a measure takes some seconds
FEW: Mapping[str, int] = {
    "definitions": 2,
    "sensor": 2,
    "resources": 1,
    "days": 3,
    "tables": 1000,
    "idle": 1,
}


@pytest.mark.e2e
@pytest.mark.parametrize("name", NAMES)
def test_each_measure_takes_figures_of_this_checkout(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "IDLE", 3.0)
    monkeypatch.setattr(command, "RECORD", tmp_path / "scale.json")
    main(["--cases", "scale", "--measures", name, "--sizes", str(FEW[name])])

    record = Record(tmp_path / "scale.json")
    for measure in chosen([name], None):
        figures = dict(record.series(measure.title))
        assert len(figures) > 1
        for series in figures.values():
            [taken] = series
            assert taken.size == FEW[name]
            assert taken.now is not None
            assert 0 <= taken.now < 1e6
