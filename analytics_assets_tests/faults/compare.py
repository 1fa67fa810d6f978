"""Tries every fault on stock dlt and on this project, and writes what came out to README.md.

Run as `python -m analytics_assets_tests.faults.compare`, with names of faults to try only those and
print them.
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
from analytics_assets_tests.faults import (
    test_envelopes,
    test_network,
    test_paging,
    test_statuses,
    test_tokens,
    test_values,
)
from analytics_assets_tests.faults.doomed_load import Doom
from analytics_assets_tests.faults.fault import Fault, rows_before, rows_now
from analytics_assets_tests.faults.isolated import Worker
from analytics_assets_tests.faults.server import FaultyServer
from analytics_assets_tests.faults.stock import load_by_stock_dlt
from analytics_assets_tests.faults.test_machine import KILLS, Kill
from analytics_assets_tests.faults.trial import (
    SETTINGS,
    Load,
    Outcome,
    address,
    environment,
    load_by_dagster,
    look,
    try_fault,
)
from analytics_assets_tests.faults.verdict import rendered, told

README = Path(__file__).with_name("README.md")
TABLES: Mapping[str, Sequence[Fault | Kill]] = {
    "Statuses": test_statuses.FAULTS,
    "Network": test_network.FAULTS,
    "Token endpoint": test_tokens.FAULTS,
    "Around the rows": test_envelopes.FAULTS,
    "Paging": test_paging.FAULTS,
    "Values": test_values.FAULTS,
    "Machine": KILLS,
}
SIDES = ("stock", "project")


def main(names: Sequence[str]) -> None:
    """Try the faults, all of them or those named."""
    chosen = {
        title: [fault.name for fault in faults if not names or fault.name in names]
        for title, faults in TABLES.items()
    }
    every = [name for faults in chosen.values() for name in faults]
    with ThreadPoolExecutor(len(SIDES)) as pool:
        stock, own = pool.map(partial(try_all, every), SIDES)
    text = rendered(
        [
            (title, [(name, stock[name], own[name]) for name in faults])
            for title, faults in chosen.items()
            if faults
        ]
    )
    if names:
        sys.stdout.write(text)
    else:
        README.write_text(text, encoding="utf-8")


def try_all(names: Sequence[str], side: str) -> dict[str, str]:
    """Try faults on one side, one after the other; return what came out, in words."""
    verdicts = {}
    with tempfile.TemporaryDirectory() as folder, Worker() as worker:
        prepared = Path(folder) / "prepared.duckdb"
        worker.do(partial(prepare, side, prepared))
        for name in names:
            answer = worker.do(partial(run, name, side, prepared))
            verdicts[name] = answer if isinstance(answer, str) else told(find(name), answer)
            sys.stderr.write(f"{side}: {name}: {verdicts[name]}\n")
    return verdicts


def find(name: str) -> Fault | Kill:
    """Return the fault or the kill of that name."""
    return next(fault for faults in TABLES.values() for fault in faults if fault.name == name)


def prepare(side: str, file: Path) -> None:
    """Make a DuckDB file that holds the load before."""
    with tempfile.TemporaryDirectory() as folder, place(Path(folder), file):
        with FaultyServer(rows_before()) as server, environment(address(server)):
            error = loader(side)(Fault("none"), server)
        if error is not None:
            raise RuntimeError(error)


def run(name: str, side: str, prepared: Path) -> Outcome:
    """Try the fault or the kill on a copy of the prepared file."""
    tried = find(name)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "warehouse.duckdb"
        if isinstance(tried, Kill) or not tried.first:
            shutil.copy(prepared, file)
        with place(Path(folder), file):
            if isinstance(tried, Kill):
                return killed(tried, side)
            return try_fault(tried, Warehouse.from_settings(), loader(side))


def killed(kill: Kill, side: str) -> Outcome:
    """Kill a load, and look at what it left."""
    doom = json.dumps(asdict(Doom(kill.points, kill.half_way, stock=side == "stock")))
    with FaultyServer(rows_now()) as server, environment({**SETTINGS, **address(server)}):
        subprocess.run(
            [sys.executable, "-m", "analytics_assets_tests.faults.doomed_load", doom],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        warehouse = Warehouse.from_settings()
        rows = rows_now() if kill.arrived else rows_before()
        left = look(kill.name, warehouse, rows, "killed")
        again = loader(side)(Fault("none"), server)
        return replace(left, next_run=look("the next run", warehouse, rows_now(), again))


def loader(side: str) -> Load:
    """Return what loads the resource on one of the sides."""
    if side == "stock":
        return load_by_stock_dlt
    return load_by_dagster(dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}))


def place(folder: Path, file: Path) -> Any:
    """Set what says where the warehouse and dlt's working files are."""
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
