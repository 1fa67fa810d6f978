"""The command `export`."""

from analytics_assets.cli.commands.export.command import export

__all__ = ["export"]
