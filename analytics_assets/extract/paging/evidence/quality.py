"""The quality of answers as they state it: sampled, thresholded, with other rows, truncated."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from analytics_assets.config.entry.answer_quality import SAMPLED, QualityPlaces
from analytics_assets.extract.rows.answer import Answer
from analytics_assets.extract.rows.page_decoder import fields_decoder
from analytics_assets.extract.rows.response_body import values_at
from analytics_assets.extract.rows.row_place import RowPlace

ANSWERS = "answers"  # the metric of all answers; of a kind: `answers_sampled`


class AnswerQualityCount:
    """Counts the answers of a read that state a quality.

    Args:
        places: the places where they state it.
        rows: the place of their rows.
    """

    def __init__(self, places: QualityPlaces, rows: RowPlace) -> None:
        self._places, self._rows = places, rows
        self._answers = 0
        self._found = Counter[str]()

    def add(self, answer: Answer) -> None:
        """Count an answer with rows, or the first one, whose rows may be those left out."""
        if answer.refusal is not None or not (answer.count or self._answers == 0):
            return
        self._answers += 1
        for kind, path in self._places.paths.items():
            body = answer.whole_body if self._is_within_rows(path) else answer.body
            self._found[kind] += any(map(says_yes, values_at(path, body)))
        for kind, (field, value) in self._places.values.items():
            self._found[kind] += _has_value(answer, field, value)

    def _is_within_rows(self, path: str) -> bool:
        rows = self._rows.path.removeprefix("$.")
        return rows in ("", "$") or path.removeprefix("$.").startswith((f"{rows}.", f"{rows}["))

    @property
    def is_sampled(self) -> bool:
        """True if an answer so far is sampled."""
        return self._found[SAMPLED] > 0

    @property
    def metrics(self) -> Mapping[str, int]:
        """The number of answers, and of those of each kind; empty if the entry names no place."""
        kinds = {f"{ANSWERS}_{kind}": self._found[kind] for kind in self._places.kinds}
        return {ANSWERS: self._answers, **kinds} if kinds else {}


def says_yes(value: Any) -> bool:
    """Return True if a field of an answer states a quality.

    Example:
        >>> [says_yes(value) for value in (True, [{"samples": "10"}], "yes", 1)]
        [True, True, True, True]
        >>> [says_yes(value) for value in (None, False, [], {}, "", "false", 0)]
        [False, False, False, False, False, False, False]
    """
    if isinstance(value, str):
        return value.strip().lower() not in ("", "false")
    return bool(value)


def _has_value(answer: Answer, field: str, value: Any) -> bool:
    """Return True if a row has a value in a field."""
    if answer.split is not None:
        try:
            found = fields_decoder((field,)).decode(answer.split.rows)
            return any(each.part_0 == value for each in found)
        except msgspec.MsgspecError:  # of a row that is no object
            pass
    return any(isinstance(row, dict) and row.get(field) == value for row in answer.rows)
