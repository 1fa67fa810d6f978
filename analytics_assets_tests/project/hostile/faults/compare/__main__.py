"""Tries every case on stock dlt and on this project, and writes the outcomes to README.md.

Run as `python -m analytics_assets_tests.project.hostile.faults.compare`, with names of cases to try
only those and print them.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.project.hostile.faults import cases
from analytics_assets_tests.project.hostile.faults.case import Case, rows_before, rows_now
from analytics_assets_tests.project.hostile.faults.compare.stock_dlt import StockTable
from analytics_assets_tests.project.hostile.faults.compare.verdict import rendered, verdict
from analytics_assets_tests.project.hostile.faults.compare.worker import Worker
from analytics_assets_tests.project.hostile.faults.machine.doomed_load import Doom
from analytics_assets_tests.project.hostile.faults.machine.kills import KILLS, Kill
from analytics_assets_tests.project.hostile.faults.targets import Asset, Table
from analytics_assets_tests.project.hostile.faults.trial import (
    SETTINGS,
    Outcome,
    address,
    environment,
    outcome_of,
    try_case,
)
from analytics_assets_tests.project.hostile.faults.visits import VisitsServer

README = Path(__file__).parents[1] / "README.md"
TABLES: Mapping[str, Sequence[Case | Kill]] = {**cases.TABLES, "Machine": KILLS}
SIDES = ("stock", "project")


def main(names: Sequence[str]) -> None:
    """Try the cases, all of them or those named."""
    chosen = {
        title: [case.name for case in table if not names or case.name in names]
        for title, table in TABLES.items()
    }
    every = [name for table in chosen.values() for name in table]
    with ThreadPoolExecutor(len(SIDES)) as pool:
        stock, own = pool.map(partial(try_all, every), SIDES)
    text = rendered(
        [
            (title, [(name, stock[name], own[name]) for name in table])
            for title, table in chosen.items()
            if table
        ]
    )
    if names:
        sys.stdout.write(text)
    else:
        README.write_text(text, encoding="utf-8")


def try_all(names: Sequence[str], side: str) -> dict[str, str]:
    """Try cases on one side, one after the other; return the verdicts."""
    verdicts = {}
    with tempfile.TemporaryDirectory() as folder, Worker() as worker:
        prepared = Path(folder) / "prepared.duckdb"
        worker.do(partial(prepare, side, prepared))
        for name in names:
            answer = worker.do(partial(run, name, side, prepared))
            verdicts[name] = answer if isinstance(answer, str) else verdict(find(name), answer)
            sys.stderr.write(f"{side}: {name}: {verdicts[name]}\n")
    return verdicts


def find(name: str) -> Case | Kill:
    """Return the case or the kill of that name."""
    return next(case for table in TABLES.values() for case in table if case.name == name)


def prepare(side: str, file: Path) -> None:
    """Make a DuckDB file that holds the load before."""
    with tempfile.TemporaryDirectory() as folder, place(Path(folder), file):
        with VisitsServer(rows_before()) as server, environment(address(server)):
            error = target(side).load({})
        if error is not None:
            raise RuntimeError(error)


def run(name: str, side: str, prepared: Path) -> Outcome:
    """Try the case or the kill on a copy of the prepared file."""
    tried = find(name)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "warehouse.duckdb"
        if isinstance(tried, Kill) or not tried.first:
            shutil.copy(prepared, file)
        with place(Path(folder), file):
            if isinstance(tried, Kill):
                return killed(tried, side)
            return try_case(tried, target(side))


def killed(kill: Kill, side: str) -> Outcome:
    """Kill a load, and look at the table that it leaves."""
    doom = json.dumps(asdict(Doom(kill.points, kill.half_way, stock=side == "stock")))
    with VisitsServer(rows_now()) as server, environment({**SETTINGS, **address(server)}):
        module = "analytics_assets_tests.project.hostile.faults.machine.doomed_load"
        subprocess.run(
            [sys.executable, "-m", module, doom],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        table = target(side)
        rows = rows_now() if kill.arrived else rows_before()
        left = outcome_of(kill.name, table, rows, "killed")
        error = table.load({})
        return replace(left, next_run=outcome_of("the next run", table, rows_now(), error))


def target(side: str) -> Table:
    """Return the table of one of the sides."""
    warehouse = Warehouse.from_settings("analytics")
    if side == "stock":
        return StockTable(warehouse)
    instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})
    return Asset(warehouse, instance)


def place(folder: Path, file: Path) -> Any:
    """Set the warehouse's file and the folder of dlt's working files."""
    os.chdir(folder)
    return environment(
        {
            "PIPELINES_DIR": str(folder / "pipelines"),
            "DESTINATION__DUCKDB__CREDENTIALS": str(file),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "CRITICAL",
        }
    )


if __name__ == "__main__":
    main(sys.argv[1:])
