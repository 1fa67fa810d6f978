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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from analytics_assets.warehouse import Warehouse
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
from analytics_assets_tests.faults.isolated import in_a_process
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
AT_ONCE = 2
TABLES = {
    "Statuses": test_statuses.FAULTS,
    "Network": test_network.FAULTS,
    "Token endpoint": test_tokens.FAULTS,
    "Around the rows": test_envelopes.FAULTS,
    "Paging": test_paging.FAULTS,
    "Values": test_values.FAULTS,
}
SIDES = ("stock", "project")


@dataclass(frozen=True)
class Trial:
    """One cell of the table: a fault, or a kill, on one of the two sides.

    Args:
        tried: what goes wrong.
        side: `stock` or `project`.
        prepared: a DuckDB file that holds the load before.
    """

    tried: Fault | Kill
    side: str
    prepared: Path


def main(names: Sequence[str]) -> None:
    """Try the faults, all of them or those named."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = {side: Path(folder) / f"{side}.duckdb" for side in SIDES}
        for side, file in prepared.items():
            in_a_process(partial(prepare, side, file))
        tables: dict[str, Sequence[Fault | Kill]] = {**TABLES, "Machine": KILLS}
        parts = []
        for title, faults in tables.items():
            chosen = [fault for fault in faults if not names or fault.name in names]
            trials = [Trial(fault, side, prepared[side]) for fault in chosen for side in SIDES]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                verdicts = list(pool.map(verdict_of, trials))
            rows = zip(chosen, verdicts[::2], verdicts[1::2], strict=True)
            parts.append((title, [(fault.name, stock, own) for fault, stock, own in rows]))
    text = rendered(parts)
    if names:
        sys.stdout.write(text)
    else:
        README.write_text(text, encoding="utf-8")


def verdict_of(trial: Trial) -> str:
    """Try a fault on one side, in a process of its own."""
    answer = in_a_process(partial(run, trial))
    if isinstance(answer, str):
        return answer
    assert answer is not None, "a trial has an outcome"
    return told(trial.tried, answer)


def prepare(side: str, file: Path) -> None:
    """Make a DuckDB file that holds the load before."""
    with tempfile.TemporaryDirectory() as folder, place(Path(folder), file):
        with FaultyServer(rows_before()) as server, environment(address(server)):
            error = loader(side)(Fault("none"), server)
        if error is not None:
            raise RuntimeError(error)


def run(trial: Trial) -> Outcome:
    """Try the fault or the kill on a copy of the prepared file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "warehouse.duckdb"
        if isinstance(trial.tried, Kill) or not trial.tried.first:
            shutil.copy(trial.prepared, file)
        with place(Path(folder), file):
            if isinstance(trial.tried, Kill):
                return killed(trial.tried, trial.side)
            return try_fault(trial.tried, Warehouse.from_settings(), loader(trial.side))


def killed(kill: Kill, side: str) -> Outcome:
    """Kill a load, and look at what it left."""
    doom = json.dumps(asdict(Doom(kill.points, kill.half_way, stock=side == "stock")))
    with FaultyServer(rows_now()) as server, environment({**SETTINGS, **address(server)}):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "analytics_assets_tests.faults.doomed_load",
                json.dumps(asdict(doom)),
            ],
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
