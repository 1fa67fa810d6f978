"""Timeouts and retries of requests, by dlt's own `runtime.request_*` settings."""

import math
from typing import ClassVar

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

SHORT_TIMEOUT = 10.0  # seconds; Dagster gives the whole tick of a sensor 60


@configspec
class RequestSettings(BaseConfiguration):
    """dlt's own `runtime.request_*` settings, with this project's defaults.

    Args:
        request_timeout: seconds to wait for a connection, and for each next part of a response.
        request_deadline: seconds in which the whole response to one attempt must arrive.
        request_max_attempts: the first attempt and its retries.
        request_backoff_factor: seconds before the first retry; doubled before each further one.
        request_max_retry_delay: upper limit in seconds of a wait, `Retry-After` included.
    """

    request_timeout: float = 60
    request_deadline: float = 600
    request_max_attempts: int = 4
    request_backoff_factor: float = 2
    request_max_retry_delay: float = 3600

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


def single_attempt() -> RequestSettings:
    """Return settings for a request that a person or a sensor waits for.

    There is no retry, and timeouts are short.
    """
    settings = RequestSettings()
    settings.request_timeout = SHORT_TIMEOUT
    settings.request_deadline = 3 * SHORT_TIMEOUT
    settings.request_max_attempts = 1
    return settings
