"""The command `materialize`."""

from analytics_assets.cli.commands.materialize.command import materialize

__all__ = ["materialize"]
