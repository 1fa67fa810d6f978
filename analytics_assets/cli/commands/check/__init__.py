"""The command `check`."""

from analytics_assets.cli.commands.check.command import check as check
