"""Steps of a resource's pipe that leave the values of its rows as the API sent them."""

from typing import Any

from analytics_assets.extract.compat import (
    FilterStep,
    IncrementalStep,
    LimitStep,
    Step,
    steps_of,
)


class PipeStep(Step):
    """A step of this package in the pipe of a resource: it alters no value of a row.

    Rows that only such steps see can be loaded as Arrow tables. A step of the user's own is
    written for rows, and may alter them.
    """

    def __init__(self) -> None:
        super().__init__(lambda item: item)

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Pass the item on."""
        return item


def is_unaltered(pipe: Any) -> bool:
    """Test that no step of a pipe is the user's own, so that rows stay as the API sent them."""
    return not any(map(_is_users, steps_of(pipe)))


def may_make_fields(pipe: Any) -> bool:
    """Test if a step of a pipe is the user's own, and no filter: rows may get fields by it."""
    return any(_is_users(step) and not isinstance(step, FilterStep) for step in steps_of(pipe))


def _is_users(step: Any) -> bool:
    return not isinstance(step, PipeStep | IncrementalStep | LimitStep)
