"""An embedded analytics API: a real HTTP server with real OAuth2, data and faults on demand.

The project loads from it where no other API is configured, and the tests use it as the peer on
the other end of a real connection.
"""

from analytics_assets.sandbox.embedded import embedded_sandbox
from analytics_assets.sandbox.faults import Fault
from analytics_assets.sandbox.rows import sandbox_rows
from analytics_assets.sandbox.server import Sandbox

__all__ = ["Fault", "Sandbox", "embedded_sandbox", "sandbox_rows"]
