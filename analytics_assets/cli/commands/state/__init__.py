"""The command `state`."""

from analytics_assets.cli.commands.state.command import state

__all__ = ["state"]
