"""Log records without secrets, of all loggers of the process and at any level."""

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any

_installing = threading.Lock()


class RedactingFactory:
    """Makes log records as before, their texts and tracebacks without secrets.

    https://docs.python.org/3/library/logging.html#logging.setLogRecordFactory

    Args:
        make: the factory of records so far.
        redact: removes secrets from a text.
    """

    def __init__(self, make: Callable[..., logging.LogRecord], redact: Callable[[str], str]):
        self._make, self._redact = make, redact

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Make a record."""
        record = self._make(*args, **kwargs)
        try:
            text = record.getMessage()
        except Exception:  # the handler reports a record whose arguments do not fit its text
            return record
        if (redacted := self._redact(text)) != text:
            record.msg, record.args = redacted, ()
        if record.exc_info and record.exc_info[1]:
            text = "".join(traceback.format_exception(record.exc_info[1]))
            if (redacted := self._redact(text)) != text:
                record.exc_info, record.exc_text = None, redacted.rstrip()
        return record


def redact_log_records(redact: Callable[[str], str]) -> None:
    """Remove secrets from all log records of the process from now on.

    Args:
        redact: removes them; another one after the first changes nothing.
    """
    with _installing:
        make = logging.getLogRecordFactory()
        if not isinstance(make, RedactingFactory):
            logging.setLogRecordFactory(RedactingFactory(make, redact))
