"""The place of the rows in the pages of a read, and pages without anything there."""

from analytics_assets.extract.http.errors import BodyError
from analytics_assets.extract.paging.evidence.finder import Evidence
from analytics_assets.extract.paging.proof import Proof
from analytics_assets.extract.rows.answer import Answer
from analytics_assets.extract.rows.data_selector import (
    Absence,
    AbsentRowsError,
    DataSelector,
    DetectedSelector,
)


class RowPlace:
    """The place of the rows in the pages of one read.

    Args:
        resource: the resource, for errors.
        selector: the entry's `data_selector`.
        allows_absence: True if a page without anything there has no rows.
    """

    def __init__(self, resource: str, selector: DataSelector, allows_absence: bool) -> None:
        self._resource = resource
        self._allows_absence = allows_absence
        self._is_proved = False  # an earlier page has its rows there
        self._is_detected_too_early = False
        self._detected = None if selector.selector else DetectedSelector(resource)
        self.selector = selector

    def absence(self, answer: Answer, received: int) -> AbsentRowsError | None:
        """Return the error if a page has nothing in the place of its rows.

        Args:
            answer: the page.
            received: the number of rows on the pages before it.

        Raises:
            BodyError: the page has its rows elsewhere.
        """
        if answer.absence:
            self._is_detected_too_early = not self._is_proved
            return answer.absence
        if answer.refusal or self._detected is None:
            return None
        body = answer.body
        if self._is_detected_too_early and answer.count and self._detected.is_elsewhere(body):
            raise BodyError(
                f"{self._resource}: its first answer had nothing in the place of its rows, which "
                "is therefore unknown. Name the place as `data_selector`."
            )
        return self._detected.absence(body, received)

    def accept(self, absence: AbsentRowsError | None, evidence: Evidence, proof: Proof) -> None:
        """Refuse a page with nothing in the place of its rows, unless it reports that it has none.

        Args:
            absence: the error for the page; None if there is something.
            evidence: that of the page.
            proof: has counted the pages before it.

        Raises:
            AbsentRowsError: the page does not report that it has no rows.
        """
        if absence is None:
            self._is_proved = True
            return
        is_allowed = self._allows_absence or self._is_proved
        total = proof.total if evidence.total is None else evidence.total
        is_null = absence.absence is Absence.NULL
        if not evidence.reports_no_rows(total, proof.received, is_null, is_allowed):
            raise absence
