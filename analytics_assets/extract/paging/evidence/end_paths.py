"""The fields of a page about the end of a read, as far as a `paginator` names them."""

from dataclasses import dataclass
from typing import Any

from dlt.common.jsonpath import TJsonPath
from dlt.sources.helpers.rest_client.paginators import BasePaginator, OffsetPaginator

from analytics_assets.config.validation.paginator import PATHS


@dataclass(frozen=True)
class EndPaths:
    """The fields that a `paginator` names, of any type.

    Args:
        total_path: the path of the number of all rows or pages; None to find it by its name.
        has_more_path: the path of a flag for further pages.
        last_page_path: the path of a flag for the last page.
        ignored: the names or paths of fields and headers that mean something else.
    """

    total_path: TJsonPath | None = None
    has_more_path: TJsonPath | None = None
    last_page_path: TJsonPath | None = None
    ignored: frozenset[str] = frozenset()

    @classmethod
    def of(cls, given: Any, paginator: BasePaginator | None) -> "EndPaths":
        """Return the fields that the `paginator` of an entry names.

        Args:
            given: the `paginator`: a type, a dictionary, or an object of dlt's with attributes of
                these names.
            paginator: the one that dlt makes of it.
        """
        options = given if isinstance(given, dict) else {}
        paths = {name: options.get(name) or getattr(paginator, name, None) for name in PATHS}
        if isinstance(paginator, OffsetPaginator) and options and "total_path" not in options:
            paths["total_path"] = None  # dlt's default is a guess, unlike that of an object
        ignored: Any = options.get("ignored_fields") or getattr(paginator, "ignored_fields", ())
        return cls(**paths, ignored=frozenset(ignored))

    def ignores(self, *names: str) -> bool:
        """Return True if a field is ignored, by one of its names."""
        return not self.ignored.isdisjoint(names)
