"""An embedded analytics API: a real HTTP server with real OAuth2 and derived data.

The project loads from it where no other API is configured.
"""

from analytics_assets.sandbox.embedded import embedded_sandbox
from analytics_assets.sandbox.rows import sandbox_rows
from analytics_assets.sandbox.server import Sandbox

__all__ = ["Sandbox", "embedded_sandbox", "sandbox_rows"]
