"""The settings of a project, with the place of each and without a value."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, get_args

from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.destination import Destination
from dlt.common.typing import ConfigValueSentinel
from rich.table import Table

from analytics_assets.config.api import Api
from analytics_assets.config.settings.alerts import AlertSettings
from analytics_assets.config.settings.client import LocationSettings, SandboxSettings
from analytics_assets.config.settings.history import HistorySettings
from analytics_assets.config.settings.look_up import (
    OWN_NAMES,
    FolderSettings,
    without_open_values,
)
from analytics_assets.config.settings.oauth2 import OAUTH2_TYPES, STOCK_NAMES, OAuth2Settings
from analytics_assets.config.settings.providers.origin import origin_of
from analytics_assets.config.settings.providers.run_context import OF_DLT
from analytics_assets.config.settings.request import LimitSettings, RequestSettings
from analytics_assets.config.settings.shared_store import SharedStoreSettings
from analytics_assets.extract.paging.parallel_reads import ExtractSettings
from analytics_assets.extract.reading import ReadingSettings
from analytics_assets.orchestration.runs.executor.celery.settings import CelerySettings
from analytics_assets.orchestration.runs.executor.setting import ExecutorSettings
from analytics_assets.redaction.names import setting_name
from analytics_assets.warehouse.settings import (
    DatasetSettings,
    WarehouseSettings,
    warehouse_settings,
)

OF_ALL = (
    *(AlertSettings, CelerySettings, DatasetSettings, ExecutorSettings, ExtractSettings),
    FolderSettings,
    *(HistorySettings, LimitSettings, ReadingSettings, RequestSettings, SharedStoreSettings),
    WarehouseSettings,
)
OF_AN_API = (AlertSettings, DatasetSettings, LimitSettings, LocationSettings, OAuth2Settings)
DEFAULT, IN_FILE, MISSING = "default", "api.py", "missing"
Spec = type[BaseConfiguration]


class SettingOrigin(NamedTuple):
    """A setting and the place from which it is taken.

    Args:
        name: the setting with its sections.
        place: an environment variable, a file, `default`, `api.py`, or `missing`.
    """

    name: str
    place: str

    @property
    def is_set(self) -> bool:
        """True unless the default counts, or `api.py` has it."""
        return self.place not in (DEFAULT, IN_FILE)


def known_settings() -> list[str]:
    """Return the settings of this project with their sections."""
    found = ["sandbox.enabled", "sandbox.today", "destination.duckdb.credentials"]
    specs: list[Spec] = [*OF_ALL, LocationSettings, OAuth2Settings]
    for spec in specs:
        section = f"{spec.__section__}." if spec.__section__ else ""
        found += [f"{section}{name}" for name in spec.get_resolvable_fields()]
    return found


def setting_origins(apis: Iterable[Api]) -> list[SettingOrigin]:
    """Find the place of each setting: those of all, of the warehouse, and of some APIs.

    Args:
        apis: the APIs.

    Raises:
        SettingsError: a file of settings cannot be read.
    """
    found: dict[str, SettingOrigin] = {}
    for each in _all_origins(apis):
        found.setdefault(each.name, each)
    return list(found.values())


def _all_origins(apis: Iterable[Api]) -> Iterator[SettingOrigin]:
    """Yield the places of all settings; a setting of all APIs is found for each of them."""
    yield from _of_specs(OF_ALL)
    yield from _of_fields(SandboxSettings, "sandbox")
    for section, settings in OF_DLT.items():
        for name in settings:
            yield _origin(f"{section}.{name}", name, (), section)
    yield from _of_warehouse()
    for api in apis:
        yield from _of_specs(OF_AN_API, api)
        yield from _left_open(api)


def origins_table(origins: Iterable[SettingOrigin]) -> Table:
    """Return a table of settings and their places."""
    table = Table("setting", "from", box=None, pad_edge=False, header_style="bold")
    for each in origins:
        table.add_row(each.name, each.place, style="red" if each.place == MISSING else None)
    return table


def _of_specs(specs: Iterable[Spec], api: Api | None = None) -> Iterator[SettingOrigin]:
    for spec in specs:
        given = _given(api) if api and spec in (LocationSettings, OAuth2Settings) else {}
        yield from _of_fields(spec, spec.__section__ or "", api, given)


def _of_fields(
    spec: Spec, section: str = "", api: Api | None = None, given: Mapping[str, Any] | None = None
) -> Iterator[SettingOrigin]:
    sections = ("sources", api.name) if api else ()
    for name in spec.get_resolvable_fields():
        full = ".".join((*sections, *([section] if section else []), name))
        if given and name in given:
            yield SettingOrigin(full, IN_FILE)
        else:
            yield _origin(full, name, sections, section)


def _origin(full: str, name: str, sections: tuple[str, ...], section: str = "") -> SettingOrigin:
    found = origin_of(name, sections, section)
    if found is None:
        return SettingOrigin(full, DEFAULT)
    return SettingOrigin(found.name, f"{found.place} (empty)" if found.is_empty else found.place)


def _given(api: Api) -> dict[str, Any]:
    """Return what the client of `api.py` has of the address and of OAuth2, with a value."""
    client = without_open_values(api.config["client"])
    auth = client.get("auth")
    if not (isinstance(auth, dict) and auth.get("type") in OAUTH2_TYPES):
        return client
    values = without_open_values(auth)
    return client | {STOCK_NAMES.get(key, key): value for key, value in values.items()}


def _left_open(api: Api) -> Iterator[SettingOrigin]:
    """Yield the settings that `api.py` needs, by its `dlt.secrets.value` and `dlt.config.value`."""
    of_client = ("sources", api.name)
    parts: list[tuple[Any, tuple[str, ...]]] = [(api.config["client"], of_client)]
    parts += [(entry, of_client) for entry in [api.config.get("resource_defaults")] if entry]
    parts += [(each.entry, (*of_client, each.name)) for each in api.resources.values()]
    for part, sections in parts:
        for name in _names_open(part):
            found = _origin(".".join((*sections, name)), name, sections)
            is_known = name in OAuth2Settings.get_resolvable_fields() or name == "base_url"
            if found.is_set:
                yield found
            elif not is_known:  # whether these are missing follows from the grant
                yield SettingOrigin(found.name, MISSING)


def _names_open(part: Any, key: str = "") -> Iterator[str]:
    if isinstance(part, ConfigValueSentinel):
        yield OWN_NAMES.get(key) or setting_name(key)
    elif isinstance(part, Mapping):
        for name, value in part.items():
            yield from _names_open(value, name)
    elif isinstance(part, list):
        for value in part:
            yield from _names_open(value, key)


def _of_warehouse() -> Iterator[SettingOrigin]:
    """Yield the credentials of the destination, whole or in parts, and its own settings."""
    kind = warehouse_settings().destination_type
    sections = ("destination", kind)
    fields: dict[str, Any] = {"credentials": None}
    with suppress(
        Exception
    ):  # its driver is not installed, or it is no destination: `check` says so
        spec = Destination.from_reference(kind).spec  # type: ignore[union-attr]
        fields |= spec.get_resolvable_fields()
    found = [_origin(".".join((*sections, name)), name, sections) for name in fields]
    parts = {
        part for each in _specs_in(fields["credentials"]) for part in each.get_resolvable_fields()
    }
    for name in sorted(parts):
        found.append(_origin("", name, sections, "credentials"))
    for each in found:
        if each.is_set or each.name.endswith(".credentials"):
            yield each


def _specs_in(hint: Any) -> Iterator[Spec]:
    if isinstance(hint, type) and issubclass(hint, BaseConfiguration):
        yield hint
    for each in get_args(hint):
        yield from _specs_in(each)
