"""Processes of this machine, and later ones with the same number."""

import os
import subprocess
import sys

from analytics_assets.orchestration.runs.liveness.machine import (
    start_of,
    tagged_machine,
    this_machine,
)


def test_a_process_has_the_same_start_until_it_ends() -> None:
    child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    begun = start_of(child.pid)
    assert begun
    assert begun == start_of(child.pid)
    assert start_of(os.getpid()) != begun

    child.communicate(b"\n")

    assert start_of(child.pid) == ""


def test_a_process_that_nobody_has_waited_for_has_ended() -> None:
    zombie = subprocess.Popen([sys.executable, "-S", "-c", ""], stdout=subprocess.PIPE)
    assert zombie.stdout
    zombie.stdout.read()
    while start_of(zombie.pid):
        pass
    zombie.wait()


def test_a_machine_has_more_than_its_name() -> None:
    assert this_machine().startswith(f"{tagged_machine()} ")
    assert this_machine() == this_machine()
