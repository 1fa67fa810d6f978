"""The signatures of functions that Dagster makes ops of."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def signature_known(function: F) -> F:
    """Keep the signature of a function with it, where `inspect.signature` finds it.

    Dagster 1.13 asks for that of an op's function sixteen times, which takes a tenth of the time
    in which hundreds of assets load.
    """
    function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return function
