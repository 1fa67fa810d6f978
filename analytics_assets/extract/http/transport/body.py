"""The body of an answer, decoded as requests decodes it, up to a limit."""

import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any, NamedTuple

from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError

CLASS_AND_OBJECT = re.compile(r"^\w+\([^()]*\): ")  # before the message of an error of urllib3
CHUNK_BYTES = 64 * 1024  # read at once
FIRST_ERROR = 400  # the first status of an error
AHEAD_BYTES = 64 * 1024 * 1024  # of all answers of a read in flight, besides the limit of one
ERROR_BYTES = 1024 * 1024  # of the body beside an error status, whose rest is left out
CLASS_AND_MESSAGE = re.compile(r"^\w+\((.*)\)$")


class BodyLimit(NamedTuple):
    """The most bytes of a body.

    Args:
        size: the number of bytes.
        name: the setting, or the kind of answer, for errors.
    """

    size: int
    name: str

    @property
    def reason(self) -> str:
        """The reason why a larger body is refused."""
        return f"its body is larger than {self.name}, {self.size:,} bytes"

    @property
    def reason_of_all(self) -> str:
        """The reason why one of several bodies is refused that are in memory at once."""
        most = self.size + AHEAD_BYTES
        return f"its body and those of the pages after it are larger than {self.name} allows: " + (
            f"{most:,} bytes. Set `reading.max_in_flight` to 1, or raise the limit"
        )

    def at(self, status: int) -> int:
        """Return the most bytes to take of a body beside a status; of an error, the start."""
        return self.size if status < FIRST_ERROR else min(self.size, ERROR_BYTES)


class LargeBodyError(HTTPError):
    """A body is larger than its limit."""


def decoded(body: bytes, status: int, headers: Mapping[str, str], limit: BodyLimit) -> bytes:
    """Decode a body by its `Content-Encoding`; one of an unknown encoding stays as it is.

    Args:
        body: the body as it arrived, or the start of that of an error.
        status: the status beside it.
        headers: those of the answer.
        limit: of the decoded body.

    Returns:
        The body; of an error, as much of its start as can be decoded.

    Raises:
        LargeBodyError: the decoded body is larger than the limit.
        urllib3.exceptions.DecodeError: the body cannot be decoded.
    """
    encoding = headers.get("Content-Encoding")
    if not encoding or not body:
        return body
    response = HTTPResponse(
        BytesIO(body), {"Content-Encoding": encoding}, preload_content=False, decode_content=True
    )
    parts: list[bytes] = []
    left = limit.at(status)
    try:
        while part := response.read(CHUNK_BYTES):
            left -= len(part)
            if left < 0:
                raise LargeBodyError(limit.reason)
            parts.append(part)
    except HTTPError:
        if status < FIRST_ERROR:
            raise
    return b"".join(parts)


def reason_of(cause: Any) -> str:
    """Return the message of an error of urllib3, without the names of classes."""
    parts = cause.args if isinstance(cause, Exception) else ()
    if len(parts) > 1 and isinstance(parts[-1], Exception):
        start = str(parts[0]).replace(repr(parts[-1]), "").rstrip(".: ")
        return f"{start}: {reason_of(parts[-1])}"
    return CLASS_AND_MESSAGE.sub(r"\1", CLASS_AND_OBJECT.sub("", str(cause)))
