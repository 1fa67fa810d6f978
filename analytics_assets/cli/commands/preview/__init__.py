"""The command `preview`."""

from analytics_assets.cli.commands.preview.command import preview as preview
