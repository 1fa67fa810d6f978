"""Private behaviour of Dagster that the orchestration works around."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def with_signature(function: F) -> F:
    """Attach a function's signature to it, where `inspect.signature` finds it.

    Dagster 1.13 asks for the signature of an op's function sixteen times, a tenth of the time in
    which hundreds of assets load.
    """
    function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return function
