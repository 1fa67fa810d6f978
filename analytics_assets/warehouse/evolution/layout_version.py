"""The version of the layout of tables, in the state that dlt stores with each load.

It is raised by a release whose tables an older one would not load right.
"""

from collections.abc import Mapping
from typing import Any

from analytics_assets.warehouse.errors import WarehouseError

LAYOUT = 1
SECTION, KEY = "analytics_assets", "layout"  # among the sources of dlt's state


class NewerLayoutError(WarehouseError):
    """A later release has loaded the table."""


def layout_of(state: Mapping[str, Any]) -> int:
    """Return the layout of a pipeline's tables; 0 for a release that did not store it."""
    return int(notes_of(state).get(KEY, 0))


def refuse_newer_layout(state: Mapping[str, Any], place: str) -> None:
    """Refuse to load tables of a later layout.

    Args:
        state: dlt's state of the pipeline that loads them, as the warehouse has it.
        place: the tables, for the message.

    Raises:
        NewerLayoutError: a later release has loaded them.
    """
    if (stored := layout_of(state)) > LAYOUT:
        raise NewerLayoutError(
            f"{place}: a later release of this project has loaded it, with layout {stored} of its "
            f"tables; this one knows layouts up to {LAYOUT}. Nothing was touched. Upgrade this "
            "installation to that release, or restore a copy of the warehouse from before."
        )


def note_layout(state: dict[str, Any], notes: Mapping[str, Any]) -> None:
    """Store the layout in the state of a pipeline, and notes beside it, to be loaded with its rows.

    Args:
        state: dlt's state of the pipeline.
        notes: values of JSON by name, in place of those that are there; see `notes_of`.
    """
    own = state.setdefault("sources", {}).setdefault(SECTION, {})
    own.update({**notes, KEY: LAYOUT})


def notes_of(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what loads have stored in the state of their pipeline, beside that of dlt."""
    return dict(state.get("sources", {}).get(SECTION, {}))
