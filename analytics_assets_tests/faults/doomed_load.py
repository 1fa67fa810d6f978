"""A load in a process of its own, in which something is killed or the disk is full.

Run as `python -m analytics_assets_tests.faults.doomed_load '<Doom as JSON>'`; where the API and the
warehouse are comes from the environment. Prints as JSON why the load failed, null if it did not.
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

from analytics_assets_tests.faults.fault import RESOURCE, visits_api
from analytics_assets_tests.loading import failures_of, load

PATIENCE = 30  # seconds for a server to die


@dataclass(frozen=True)
class Doom:
    """What happens to the load.

    Args:
        points: functions as `module:Class.name`, reached one after the other; when the last one is
            called, somebody is killed.
        victim: the process that is killed; None is this one.
        file_limit: bytes that a file may have before writing to it fails, as on a full disk.
    """

    points: Sequence[str] = ()
    victim: int | None = None
    file_limit: int | None = None


def main() -> None:
    """Load under the doom that the command line tells."""
    doom = Doom(**json.loads(sys.argv[1]))
    if doom.file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (doom.file_limit, doom.file_limit))
    if doom.points:
        _arm(list(doom.points), doom.victim)
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        result = load(instance, RESOURCE, api=visits_api())
    error = None if result.success else "\n".join(failures_of(result).values())
    sys.stdout.write(json.dumps(error))


def _arm(points: list[str], victim: int | None) -> None:
    """Wrap the first point: when it is called, wrap the next one, or kill."""
    module, _, path = points[0].partition(":")
    class_name, _, name = path.partition(".")
    owner: Any = getattr(importlib.import_module(module), class_name)
    original: Callable[..., Any] = getattr(owner, name)

    def reached(*args: Any, **kwargs: Any) -> Any:
        setattr(owner, name, original)
        if points[1:]:
            _arm(points[1:], victim)
        elif victim is None:
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            os.kill(victim, signal.SIGQUIT)  # to PostgreSQL's first process, this means: at once
            psutil.wait_procs(
                [psutil.Process(victim)] if psutil.pid_exists(victim) else [], PATIENCE
            )
        return original(*args, **kwargs)

    setattr(owner, name, reached)


if __name__ == "__main__":
    main()
