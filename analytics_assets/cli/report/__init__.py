"""The command `report`."""

from analytics_assets.cli.report.command import report

__all__ = ["report"]
