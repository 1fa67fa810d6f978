"""The body of an answer, decoded as requests decodes it."""

import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from urllib3 import HTTPResponse

CLASS_AND_OBJECT = re.compile(r"^\w+\([^()]*\): ")  # before the message of an error of urllib3
CLASS_AND_MESSAGE = re.compile(r"^\w+\((.*)\)$")


def decoded(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Decode a body by its `Content-Encoding`; one of an unknown encoding stays as it is.

    Raises:
        urllib3.exceptions.DecodeError: the body cannot be decoded.
    """
    encoding = headers.get("Content-Encoding")
    if not encoding or not body:
        return body
    response = HTTPResponse(
        BytesIO(body), {"Content-Encoding": encoding}, preload_content=False, decode_content=True
    )
    return bytes(response.read())


def reason_of(cause: Any) -> str:
    """Return the message of an error of urllib3, without the names of classes."""
    parts = cause.args if isinstance(cause, Exception) else ()
    if len(parts) > 1 and isinstance(parts[-1], Exception):
        start = str(parts[0]).replace(repr(parts[-1]), "").rstrip(".: ")
        return f"{start}: {reason_of(parts[-1])}"
    return CLASS_AND_MESSAGE.sub(r"\1", CLASS_AND_OBJECT.sub("", str(cause)))
