"""A proposed resource, with the guesses in it, and an operation that is left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Guess:
    """A proposed value.

    Args:
        value: the value.
        check: what is to be checked, and why; None if the document says it.
    """

    value: Any
    check: str | None = None


@dataclass(frozen=True)
class ProposedLoad:
    """A load other than all rows, for the policy of a resource.

    Args:
        kind: `Incremental` or `Partitioned`.
        arguments: its arguments.
        is_active: True to use it; False to leave it in a comment.
        check: what is to be checked; None if the document says it.
    """

    kind: str
    arguments: Mapping[str, Any]
    is_active: bool
    check: str | None


@dataclass(frozen=True)
class ProposedResource:
    """A resource, proposed of an operation.

    Args:
        name: its name.
        document_path: the path in the document, which `--only` may name.
        path: the path of the entry, its parameters filled.
        method: `get` or `post`.
        selector: the `data_selector`; None for dlt's own.
        primary_key: the key; None if there is none.
        paginator: the paginator.
        params: further parameters of a request.
        headers: further headers of a request.
        parent: the resource from whose rows it is read; None if there is none.
        parent_fields: the fields of the parent that its rows get.
        date_column: the column with the day of a row; None if there is none.
        loads: loads other than all rows.
        time_formats: the formats of times.
        description: a sentence about the rows; empty if there is none.
    """

    name: str
    document_path: str
    path: Guess
    method: str
    selector: Guess
    primary_key: Guess
    paginator: Guess
    params: Mapping[str, Guess] = field(default_factory=dict)
    headers: Mapping[str, Guess] = field(default_factory=dict)
    parent: str | None = None
    parent_fields: tuple[str, ...] = ()
    date_column: Guess = field(default_factory=lambda: Guess(None))
    loads: tuple[ProposedLoad, ...] = ()
    time_formats: Mapping[str, Guess] = field(default_factory=dict)
    description: str = ""

    @property
    def checks(self) -> list[str]:
        """The reasons why values are to be checked."""
        guesses = [self.path, self.selector, self.primary_key, self.paginator]
        guesses += [*self.params.values(), *self.headers.values(), *self.time_formats.values()]
        if isinstance(self.paginator.value, Mapping):
            guesses += [each for each in self.paginator.value.values() if isinstance(each, Guess)]
        found = [each.check for each in guesses]
        found += [load.check for load in self.loads if load.is_active]
        return [check for check in found if check]


@dataclass(frozen=True)
class Skipped:
    """An operation that is left out.

    Args:
        path: its path in the document.
        reason: the reason.
        is_list: True if it answers with a list, so that it could be taken.
    """

    path: str
    reason: str
    is_list: bool = False
