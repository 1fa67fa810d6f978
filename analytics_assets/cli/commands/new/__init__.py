"""The command `new`: describe an API, from its document, from a recipe, or by three answers."""

from analytics_assets.cli.commands.new.command import new as new
