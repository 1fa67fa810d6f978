"""The command `report`."""

from analytics_assets.cli.commands.report.command import report

__all__ = ["report"]
