"""The command `materialize`."""

from analytics_assets.cli.materialize.command import materialize

__all__ = ["materialize"]
