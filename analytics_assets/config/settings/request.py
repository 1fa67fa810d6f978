"""Settings of requests: timeouts, retries and limits."""

import math
from typing import ClassVar

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.resolution import resolved

DEFAULT_IN_FLIGHT = 16
SHORT_TIMEOUT = 10.0  # seconds; Dagster gives the whole tick of a sensor 60


@configspec
class RequestSettings(BaseConfiguration):
    """dlt's own `runtime.request_*` settings, with this project's defaults.

    Args:
        request_timeout: seconds to wait for a connection, and for each next part of a response.
        request_deadline: seconds in which the whole response to one attempt must arrive, its
            redirects included.
        request_max_attempts: the first attempt and its retries.
        request_backoff_factor: seconds before the first retry; doubled before each further one.
        request_max_retry_delay: upper limit in seconds of a wait, `Retry-After` included.
        max_body: the most bytes of the body of a response, as it arrives and unpacked.
    """

    request_timeout: float = 60
    request_deadline: float = 600
    request_max_attempts: int = 4
    request_backoff_factor: float = 2
    request_max_retry_delay: float = 3600
    max_body: int = 256 * 1024 * 1024

    __section__: ClassVar[str] = "runtime"

    def retry_delay(self, attempts: int, asked: float = 0.0) -> float:
        """Return the seconds before the next attempt.

        Args:
            attempts: attempts that have failed, one or more.
            asked: the seconds that the API asks to wait; 0 to double the last wait.
        """
        delay = asked or self.request_backoff_factor * 2.0 ** (attempts - 1)
        return min(delay, self.request_max_retry_delay)

    @property
    def max_wait(self) -> float:
        """The longest wait for a rate limit in seconds; short if there are no retries either."""
        return self.request_timeout if self.request_max_attempts == 1 else math.inf


def single_attempt(deadline: float = 3 * SHORT_TIMEOUT) -> RequestSettings:
    """Return settings for a request that a person or a sensor waits for.

    There is no retry, and timeouts are short.

    Args:
        deadline: seconds in which the whole response must arrive.
    """
    settings = RequestSettings()
    settings.request_timeout = SHORT_TIMEOUT
    settings.request_deadline = deadline
    settings.request_max_attempts = 1
    return settings


@configspec
class LimitSettings(BaseConfiguration):
    """Limits on requests to an API.

    Args:
        max_in_flight: the most requests that wait for their response at once, in all processes
            with the same shared store; None for `DEFAULT_IN_FLIGHT` in each process.
        max_per_second: the most requests that begin in a second, in all of them; None for no limit.
        adaptive: True to request more than a few pages at once only as far as it makes the reads
            faster, and fewer when the API asks for less; False for as many as are allowed.
    """

    max_in_flight: int | None = None
    max_per_second: float | None = None
    adaptive: bool = True

    __section__: ClassVar[str] = "reading"

    @property
    def in_flight(self) -> int:
        """The most requests of this process that wait for their response at once."""
        return self.max_in_flight or DEFAULT_IN_FLIGHT

    @property
    def is_set(self) -> bool:
        """True if there is a limit that all processes keep together."""
        return bool(self.max_in_flight or self.max_per_second)

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


def resolve_limits(api_name: str, resource: str = "") -> LimitSettings:
    """Look up the limits on requests to an API.

    Args:
        api_name: the API's name, the section under which settings are looked up first.
        resource: a resource whose own limits go before the API's.

    Raises:
        SettingsError: a limit has the wrong type, or is not above zero.
    """
    sections = ("sources", api_name, *([resource] if resource else []))
    return resolved(LimitSettings(), sections, api_name=api_name)
