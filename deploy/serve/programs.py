"""A program that runs as a process of its own: started, watched, started again, and stopped."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

PATIENCE = 300  # seconds that a busy machine may take to bring a program up
POLL = 0.1  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 1, 60  # seconds before a program is started again
STEADY = 60  # seconds after which a program that ends has not failed at its start
PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
DEATH_OF_PARENT = 1  # PR_SET_PDEATHSIG of Linux


class StartError(Exception):
    """Nothing can be served; the message has the cause and what to do."""


@dataclass(frozen=True)
class Program:
    """A program, and the way to know that it is up.

    Args:
        name: its name, which stands before each line that it prints.
        command: the program and its arguments.
        is_up: whether it serves; by default as soon as it runs.
        environment: variables beside those of this process.
        stop: the signal that ends it in order.
        user: the user as whom it runs, None for that of this process.
        folder: its working folder, None for that of this process.
    """

    name: str
    command: Sequence[str]
    is_up: Callable[[], bool] = lambda: True
    environment: Mapping[str, str] = field(default_factory=dict)
    stop: str = "SIGTERM"
    user: str | None = None
    folder: Path | None = None


class RunningProgram:
    """The process of a program, by which it is started again if it ends.

    Args:
        program: the program.
        say: prints a line for people.
    """

    def __init__(self, program: Program, say: Callable[[str], None]) -> None:
        self.program = program
        self._say = say
        self._pause = FIRST_PAUSE
        self._ended: float | None = None  # when it was found to have ended
        self._sessions: list[int] = []  # of its processes, the killed ones included
        self._start()

    def wait_until_up(self, stopped: Callable[[], bool]) -> None:
        """Wait until the program serves, or until all is to stop.

        Raises:
            StartError: it has ended, or does not serve within five minutes.
        """
        deadline = time.monotonic() + PATIENCE
        while not stopped():
            if (code := self.process.poll()) is not None:
                raise StartError(f"{self.program.name} ended at its start, with {_words(code)}.")
            if self.program.is_up():
                return
            if time.monotonic() > deadline:
                raise StartError(f"{self.program.name} is not up after {PATIENCE} s.")
            time.sleep(POLL)

    def watch(self) -> None:
        """Start the program again if it has ended, after a pause.

        The pause is a second, and doubles while the program ends within a minute.
        """
        code = self.process.poll()
        if code is None:
            return
        now = time.monotonic()
        if self._ended is None:
            self._ended = now
            if now - self._started > STEADY:
                self._pause = FIRST_PAUSE
            text = f"{self.program.name} has ended, with {_words(code)}"
            self._say(f"{text}; it starts again in {self._pause} s")
        elif now - self._ended >= self._pause:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            self._start()

    def stop(self) -> None:
        """Send the signal that ends the program, if it runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.Signals[self.program.stop])

    def processes(self, word: str = "") -> list[psutil.Process]:
        """Return the processes of the program, those of its killed predecessors included.

        Args:
            word: a word of their command lines; without it, all of them.
        """
        found = []
        for process in psutil.process_iter():
            with suppress(ProcessLookupError, psutil.NoSuchProcess):
                ours = os.getsid(process.pid) in self._sessions
                if ours and (not word or word in process.cmdline()):
                    found.append(process)
        return found

    def kill(self) -> None:
        """End what is left of the program and of what it has started."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the program, and return whether it has ended."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _start(self) -> None:
        self._ended = None
        self._started = time.monotonic()
        program = self.program
        self.process = subprocess.Popen(
            program.command,
            env={**os.environ, **program.environment},
            cwd=program.folder,
            **as_user(program.user),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for this process, which stops them in order
            preexec_fn=partial(_prepare, signal.Signals[program.stop]),
        )
        self._sessions.append(self.process.pid)
        threading.Thread(target=self._print, args=(self.process,), daemon=True).start()

    def _print(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        for line in process.stdout:
            text = line.decode(errors="replace").rstrip()
            with suppress(OSError):  # of a terminal that is gone: the program goes on
                print(f"{self.program.name:<9}| {text}", flush=True)  # noqa: T201


def as_user(user: str | None) -> dict[str, Any]:
    """Return the arguments of `subprocess` for a process of a user, None for that of this one."""
    if not user:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _prepare(stop: int) -> None:
    """Have a new process obey its signals, and end when this one is killed, where the system can.

    A job in the background of a script ignores SIGINT, and Dagster 1.13 then ignores SIGTERM, too.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if PRCTL:
        PRCTL(DEATH_OF_PARENT, stop)


def _words(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
