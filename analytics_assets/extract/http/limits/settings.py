"""Settings of the limits on requests to an API."""

import math
from typing import ClassVar

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from analytics_assets.config.errors import SettingsError


@configspec
class LimitSettings(BaseConfiguration):
    """Limits on requests to an API.

    Args:
        max_in_flight: the most requests that wait for their response at once.
        max_per_second: the most requests that begin in a second; None for no limit.
        adaptive: True to request pages ahead only as far as it makes the reads faster, and fewer
            when the API asks for less; False to keep as many in flight as are allowed.
    """

    max_in_flight: int = 16
    max_per_second: float | None = None
    adaptive: bool = True

    __section__: ClassVar[str] = "reading"

    def on_resolved(self) -> None:
        """Refuse limits by which no request could ever be sent.

        Raises:
            SettingsError: a limit is not above zero.
        """
        for name in ("max_in_flight", "max_per_second"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise SettingsError(
                    f"The setting `reading.{name}` is {value:g}; it must be more than 0. To "
                    "request one page at a time, set `reading.max_in_flight` to 1."
                )
