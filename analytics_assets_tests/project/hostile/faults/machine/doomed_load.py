"""A load in a process of its own, in which something is killed or the disk is full.

Run as `python -m analytics_assets_tests.project.hostile.faults.machine.doomed_load '<Doom as
JSON>'`; the API and the warehouse are those of the environment. Prints as JSON why the load failed,
or null.
"""

import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import psutil

from analytics_assets_tests.project.hostile.faults.case import RESOURCE, visits_api
from analytics_assets_tests.project.hostile.faults.compare.stock_dlt import load_stock
from analytics_assets_tests.support.loading import failures_of, load

PATIENCE = 300  # seconds for a server to die


@dataclass(frozen=True)
class Doom:
    """The end of the load.

    Args:
        points: functions as `module:Class.name`, reached one after the other; when the last one is
            called, somebody is killed.
        half_way: True if that function, which executes statements, first executes one of them.
        victim: the process that is killed; None for this one.
        stock: True if stock dlt loads, in place of this project.
        file_limit: bytes that a file may have before writing to it fails, as on a full disk.
    """

    points: Sequence[str] = ()
    half_way: bool = False
    victim: int | None = None
    stock: bool = False
    file_limit: int | None = None


def main() -> None:
    """Load under the doom of the command line."""
    doom = Doom(**json.loads(sys.argv[1]))
    if doom.file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (doom.file_limit, doom.file_limit))
    if doom.points:
        _arm(doom, list(doom.points))
    error = load_stock({}) if doom.stock else _load_by_dagster()
    sys.stdout.write(json.dumps(error))


def _load_by_dagster() -> str | None:
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        result = load(instance, RESOURCE, api=visits_api())
    return None if result.success else "\n".join(failures_of(result).values())


def _arm(doom: Doom, points: list[str]) -> None:
    """Wrap the first point: when it is called, wrap the next one, or kill."""
    module, _, path = points[0].partition(":")
    class_name, _, name = path.partition(".")
    owner: Any = getattr(importlib.import_module(module), class_name)
    original: Callable[..., Any] = getattr(owner, name)

    def reached(*args: Any, **kwargs: Any) -> Any:
        setattr(owner, name, original)
        if points[1:]:
            _arm(doom, points[1:])
            return original(*args, **kwargs)
        if doom.half_way:
            client, statements = args
            original(client, statements[:1])
        _kill(doom.victim)
        return original(*args, **kwargs)

    setattr(owner, name, reached)


def _kill(victim: int | None) -> None:
    if victim is None:
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        server = psutil.Process(victim)
        sessions = server.children()  # a server does not start while one of an earlier one lives
        server.send_signal(signal.SIGQUIT)  # to PostgreSQL's first process, this means: at once
        psutil.wait_procs([server, *sessions], PATIENCE)


if __name__ == "__main__":
    main()
