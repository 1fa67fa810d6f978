"""The command `analytics-assets`: load without the UI, check APIs, store contracts."""

import atexit
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

import click

from analytics_assets.cli.signals import end_on_signals, exit_code
from analytics_assets.config.process.garbage_collection import objects_kept

COMMANDS = {
    "new": "Describe an API: from its OpenAPI document, or from a recipe.",
    "materialize": "Load what is due, run the checks, and print the outcome.",
    "check": "Sign in and read two pages of each resource; load nothing.",
    "preview": "Show the first rows as tables would have them; load nothing.",
    "contract": "Fetch the OpenAPI document of an API, and print what changed.",
    "rejected": "List rejected rows, load those that fit now, or forget them.",
    "report": "Write the state of all tables into one HTML page.",
    "export": "Write dbt's sources, or a data contract per table.",
    "state": "Move cursors and loaded partitions to another warehouse or instance.",
    "alert": "List open incidents, and try the receivers of alerts.",
}
STARTING = "Starting ..."


class Commands(click.Group):
    """Commands of a module each, imported when the command is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run the command line as a process."""
        end_on_signals()
        try:
            self.main(*args, **kwargs)
        except SystemExit as ended:
            end_process(exit_code() or ended.code)
        end_process(exit_code() or 0)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show that a command starts: it imports for a second or more."""
        if args and args[0] in COMMANDS and not {"--help", "-h"} & set(args):
            show_start(args[0])
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, without an import of each."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error that the user can correct is shown as one sentence."""
        from analytics_assets.cli.terminal import errors_as_messages
        from analytics_assets.redaction.errors import errors_redacted

        with errors_redacted(), errors_as_messages():
            return super().invoke(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        with objects_kept():
            module = import_module(f"analytics_assets.cli.commands.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=Commands, help=__doc__)
def main() -> None:
    """Group the commands."""


def show_start(command: str) -> None:
    """Show at once that a command starts.

    On a terminal, the line goes to standard error, and the next output takes its place. Elsewhere
    a load alone has it, as its output is a log; that of other commands may be data.
    """
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        sys.stderr.write(f"{STARTING}\r")
        sys.stderr.flush()
    elif command == "materialize":
        sys.stdout.write(f"{STARTING}\n")
        sys.stdout.flush()


def end_process(code: str | int | None) -> NoReturn:
    """End the process at once; Python would take 0.3 s to free each object of Dagster and dlt.

    Args:
        code: the exit code, or a last message, as `sys.exit` takes it.
    """
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
    atexit._run_exitfuncs()  # those of the standard library and of packages; there is no other way
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # nobody reads it any more
            stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    main()
