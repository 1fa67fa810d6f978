"""The command `export`."""

from analytics_assets.cli.export.command import export

__all__ = ["export"]
