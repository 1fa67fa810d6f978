"""The places where an API states that the rows of its answers are not all, or not exact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from analytics_assets.config.errors import ConfigurationError, refuse_unknown_keys

SAMPLED, OTHER_ROWS = "sampled", "other_rows"


class ValueOfRows(TypedDict):
    """A value that rows have in a field, such as `(other)` as the country."""

    column: str
    value: Any


class AnswerQuality(TypedDict, total=False):
    """The key `answer_quality` of an entry.

    `sampled`: the numbers are estimated from a part of the data. `thresholded`: rows of few people
    are left out. `other_rows`: rare values are one row. `truncated`: rows are cut off. Each is the
    path of a field of the answer; `other_rows` may be a value of a field of the rows.
    """

    sampled: str
    thresholded: str
    other_rows: str | ValueOfRows
    truncated: str


@dataclass(frozen=True)
class QualityPlaces:
    """The places in an answer that state its quality.

    Args:
        paths: the path of a field, by the kind of quality.
        values: the field of the rows and its value, by the kind of quality.
    """

    paths: Mapping[str, str]
    values: Mapping[str, tuple[str, Any]]

    @classmethod
    def of(cls, given: AnswerQuality | None) -> "QualityPlaces":
        """Return the places that `answer_quality` of an entry names.

        Example:
            >>> QualityPlaces.of({"sampled": "meta.sampled"}).kinds
            ('sampled',)
        """
        paths, values = dict[str, str](), dict[str, tuple[str, Any]]()
        for kind, place in (given or {}).items():
            if isinstance(place, str):
                paths[kind] = place
            elif isinstance(place, Mapping):
                values[kind] = place["column"], place["value"]
        return cls(paths, values)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that the entry names."""
        return (*self.paths, *self.values)


def refuse_wrong_quality(where: str, given: Any) -> None:
    """Refuse an `answer_quality` of an entry that cannot be used.

    Args:
        where: the entry's name in an error.
        given: the value of the key; None if there is none.

    Raises:
        ConfigurationError: a key is unknown or missing, or a value is of the wrong kind.
    """
    if given is None:
        return
    part = f"`answer_quality` of {where}"
    refuse_unknown_keys(part, given, AnswerQuality.__annotations__)
    for kind, place in given.items():
        if kind == OTHER_ROWS and isinstance(place, Mapping):
            refuse_unknown_keys(f"`{kind}` of {part}", place, ValueOfRows.__annotations__)
            for missing in ValueOfRows.__annotations__.keys() - place.keys():
                raise ConfigurationError(f"`{kind}` of {part} has no `{missing}`; add it.")
        elif not isinstance(place, str) or not place:
            rows = ', or {"column": ..., "value": ...} of the rows' if kind == OTHER_ROWS else ""
            raise ConfigurationError(
                f"{part}: `{kind}` cannot be {place!r}: give the path of a field of the answer, "
                f'such as "meta.{kind}"{rows}.'
            )
