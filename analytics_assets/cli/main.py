"""The command `analytics-assets`: load without the UI, check APIs, store contracts."""

from importlib import import_module

import click

from analytics_assets.garbage_collection import objects_kept

COMMANDS = ("materialize", "check", "contract", "rejected")


class Commands(click.Group):
    """Commands of a module each, imported when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        with objects_kept():
            module = import_module(f"analytics_assets.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=Commands, help=__doc__)
def main() -> None:
    """Group the commands."""


if __name__ == "__main__":
    main()
