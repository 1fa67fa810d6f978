"""The entry's own `processing_steps`: maps and filters of rows.

They are part of the validation, and no steps of the resource's pipe, as the contract is asked
after them: a row that breaks it as the API sent it may fit then.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from traceback import extract_tb
from typing import Any

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.contract.rows.processed_rows import ProcessedRows
from analytics_assets.contract.rows.validation import Rejection, ValidatedPage
from analytics_assets.extract.compat import FilterStep, MapStep, YieldStep

Rejected = tuple[Rejection, bool]  # True if the row is as the steps have made it


class StepError(AnalyticsAssetsError):
    """A step of `processing_steps` failed for a row that fits the contract; see its cause."""


class ProcessingSteps:
    """Applies the steps of an entry to rows, as dlt does.

    Args:
        given: `processing_steps` of the entry.
        resource: the resource, for errors.

    Attributes:
        make_fields: True if rows may get other fields, or another key.
        expand: True if a row may become several.
    """

    def __init__(self, given: Sequence[Mapping[str, Any]] = (), resource: str = "") -> None:
        self._resource = resource
        kinds = {"filter": FilterStep, "map": MapStep, "yield_map": YieldStep}
        self._steps = [
            kinds[kind](step[kind])  # type: ignore[abstract]
            for step in given
            for kind in kinds
            if kind in step
        ]
        self.expand = any(isinstance(step, YieldStep) for step in self._steps)
        self.make_fields = not all(isinstance(step, FilterStep) for step in self._steps)

    def __bool__(self) -> bool:
        """Return True if there are any."""
        return bool(self._steps)

    def __call__(self, rows: list[Any], meta: Any = None) -> list[Any]:
        """Return what the steps make of some rows.

        Raises:
            StepError: one of them failed.
        """
        for number, step in enumerate(self._steps, start=1):
            try:
                rows = _applied(step, rows, meta)
            except AnalyticsAssetsError:
                raise
            except Exception as error:  # of the user's function
                where = extract_tb(error.__traceback__)[-1]  # its text may have a value of the row
                raise StepError(
                    f"{self._resource}: step {number} of `processing_steps` raised "
                    f"{type(error).__name__} for a row that fits the contract, in "
                    f"`{where.name}` at {Path(where.filename).name}:{where.lineno}. Correct the "
                    "function."
                ) from error
        return rows

    def __iter__(self) -> Iterator[Callable[[list[Any], Any], list[Any]]]:
        """Yield a function of rows for each step."""
        for step in self._steps:
            yield partial(_applied, step)


class Processing:
    """Applies the steps of an entry, and asks the contract after them.

    Rows that fit as the API sent them pass the steps together. One that does not passes them alone,
    and is rejected as it was sent, unless they change what is wrong with it. An error of a step
    rejects such a row, and fails the load where it is raised for one that fits.

    Args:
        steps: the entry's own steps.
        processed: checks what they make.
    """

    def __init__(self, steps: ProcessingSteps, processed: ProcessedRows) -> None:
        self._steps, self._processed = steps, processed

    def __call__(
        self, page: ValidatedPage, count: int, meta: Any = None
    ) -> tuple[list[Any], list[Rejected]]:
        """Apply the steps to a page.

        Args:
            page: the rows as the API sent them, after their validation.
            count: their number.
            meta: dlt's, for the steps.

        Returns:
            The rows that fit after the steps, in order, and the others.
        """
        rejections: list[Rejected] = []
        if not self._steps:
            return page.rows, [(each, False) for each in page.rejected]
        if not page.rejected:
            return self._fitting(self._steps(page.rows, meta), 0, rejections), rejections
        broken = {each.position: each for each in page.rejected}
        fitting, found = iter(page.rows), list[Any]()
        position = 0
        while position < count:
            if position in broken:
                found += self._repaired(broken[position], meta, rejections)
                position += 1
                continue
            end = next((at for at in range(position, count) if at in broken), count)
            some = list(islice(fitting, end - position))
            found += self._fitting(self._steps(some, meta), position, rejections)
            position = end
        return found, rejections

    def _fitting(self, rows: list[Any], position: int, rejections: list[Rejected]) -> list[Any]:
        """Return the rows after the steps that fit their columns."""
        if self._processed.fit(rows):
            return rows
        fitting = []
        for at, row in enumerate(rows):
            reason = self._processed.reason(row)
            if reason is None:
                fitting.append(row)
            else:
                place = position if self._steps.expand else position + at
                rejections.append((Rejection(place, reason, row), True))
        return fitting

    def _repaired(
        self, broken: Rejection, meta: Any, rejections: list[Rejected]
    ) -> list[dict[str, Any]]:
        """Return what the steps make of a row that breaks the contract, if that fits."""
        shown = self._processed.shown(broken.row)
        rows = made = [deepcopy(shown)]
        try:
            for step in self._steps:
                made = step(rows, meta)
                if not made:  # only a row that fits by now may be left out
                    break
                rows = made
            reasons = (self._processed.reason_against(broken.row, shown, row) for row in rows)
            reason = next(filter(None, reasons), None)
        except Exception:  # steps are written for rows that fit
            reason = broken.reason
        if reason is None:
            return made
        rejections.append((replace(broken, reason=reason), False))
        return []


def _applied(step: Any, rows: list[Any], meta: Any) -> list[Any]:
    if not rows:
        return []
    made = step(rows, meta)
    if not isinstance(step, YieldStep):
        return made or []
    # a `yield_map` may yield rows one by one, and in lists
    return [row for each in made for row in (each if isinstance(each, list) else [each])]
