"""Steps of a resource's pipe, and whether they leave its rows as the API sent them."""

from typing import Any

from analytics_assets.extract.compat import (
    FilterStep,
    IncrementalStep,
    LimitStep,
    Step,
    YieldStep,
    steps_of,
)
from analytics_assets.extract.rows.reshaping.processing_steps import ProcessingSteps


class PipeStep(Step):
    """A step of this package in the pipe of a resource.

    Rows that no step alters can be loaded as Arrow tables. A step of the user's own is written for
    rows, and may alter them.

    Attributes:
        steps: the user's own steps that it applies, if any.
    """

    steps = ProcessingSteps()

    def __init__(self) -> None:
        super().__init__(lambda item: item)

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Pass the item on."""
        return item


def is_unaltered(pipe: Any) -> bool:
    """Test that no step of a pipe is the user's own, so that rows stay as the API sent them."""
    return not any(_is_users(step) or step.steps for step in _known(pipe))


def may_make_fields(pipe: Any) -> bool:
    """Test if a step of a pipe is the user's own, and no filter: rows may get fields by it."""
    return any(
        not isinstance(step, FilterStep) if _is_users(step) else step.steps.make_fields
        for step in _known(pipe)
    )


def may_expand(pipe: Any) -> bool:
    """Test if a step of a pipe may make several rows of one, so that none has a known place."""
    return any(
        isinstance(step, YieldStep) if _is_users(step) else step.steps.expand
        for step in _known(pipe)
    )


def _known(pipe: Any) -> list[Any]:
    """Return the steps of a pipe without those of dlt that alter nothing."""
    return [each for each in steps_of(pipe) if not isinstance(each, IncrementalStep | LimitStep)]


def _is_users(step: Any) -> bool:
    return not isinstance(step, PipeStep)
