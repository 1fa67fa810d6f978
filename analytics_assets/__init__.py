"""Every resource of an analytics REST API as a Dagster asset, loaded into a warehouse by dlt.

The public names are imported on first use (PEP 562), so that `import analytics_assets` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analytics_assets.components.rest_api import RestApi as RestApi
    from analytics_assets.config.api import Api as Api
    from analytics_assets.config.load import Full as Full
    from analytics_assets.config.load import Incremental as Incremental
    from analytics_assets.config.load import Partitioned as Partitioned
    from analytics_assets.config.times.window import Window as Window
    from analytics_assets.extract.source import rest_api_source as rest_api_source
    from analytics_assets.orchestration.definitions import build_definitions as build_definitions
    from analytics_assets.warehouse.warehouse import Warehouse as Warehouse

_MODULES = {
    "Api": "config.api",
    "Full": "config.load",
    "Incremental": "config.load",
    "Partitioned": "config.load",
    "RestApi": "components.rest_api",
    "Warehouse": "warehouse.warehouse",
    "Window": "config.times.window",
    "build_definitions": "orchestration.definitions",
    "rest_api_source": "extract.source",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    """Import a public name.

    Raises:
        AttributeError: the package has no such public name.
    """
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names; `dg` finds the component among them."""
    return [*globals(), *__all__]
