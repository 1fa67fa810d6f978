"""The definitions of a whole project: every API below its `defs/`, and the sensors for all."""

import re
import sys
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError, find_cause
from analytics_assets.config.process.garbage_collection import objects_kept
from analytics_assets.config.resource import refuse_shared_tables
from analytics_assets.config.settings.compat import forget_looked_up_values
from analytics_assets.orchestration.api_file import (
    NAME,
    YAML_NAME,
    api_of,
    attributes_in,
    errors_located,
    shown,
)
from analytics_assets.orchestration.automation.alerts.sensor import build_alert_sensor
from analytics_assets.orchestration.automation.housekeeping import build_housekeeping_sensor
from analytics_assets.orchestration.compat import define_job_of_any_partitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import TABLE_NAME

COMMAND_LINE_JOB = "command_line"
NO_API = (
    "There is no API in defs/: `analytics-assets new shop --openapi FILE-OR-URL` describes one by "
    "its document, `--recipe VENDOR` by a recipe."
)
# Dagster's errors have no other sign of it
DUPLICATE = re.compile(
    r"Duplicate (?:(?P<kind>asset |asset check )key: |(?:job )?definition found for )(?P<name>.+)"
)
QUOTED = re.compile(r"'([^']*)'")


def load_project(folder: Path, defs: ModuleType) -> dg.Definitions:
    """Load the definitions of all APIs, and the sensors of the project.

    https://docs.dagster.io/guides/build/projects-and-components

    Args:
        folder: the folder of the package, below that of the project.
        defs: the module of its `defs/`.

    Returns:
        The definitions below `defs/`, merged.

    Raises:
        ConfigurationError: an `api.py` has an error, or two APIs or definitions have the same name,
            or two resources the same table, or an API is described elsewhere or has no definitions.
    """
    # Dagster 1.13 rebuilds the checks of a component by an argument of its own that is in beta
    warnings.filterwarnings("ignore", "Parameter `execution_type`", dg.BetaWarning)
    with objects_kept():
        apis = load_apis(defs)  # first, as the errors of Dagster's loader name no entry
        if not _contents(defs):
            raise ConfigurationError(NO_API)
        with _one_executor(), errors_located():
            definitions = _everything_in(dg.ComponentTree.from_module(defs, folder.parent))
        with _duplicates_named():
            definitions.resolve_asset_graph()
        tables = {
            spec.key: spec.metadata[TABLE_NAME]
            for spec in definitions.resolve_all_asset_specs()
            if "dlt" in spec.kinds and TABLE_NAME in spec.metadata
        }
        refuse_shared_tables((key.to_user_string(), table) for key, table in tables.items())
        _refuse_hidden_apis(apis, tables, defs)
        shared = dg.Definitions(
            jobs=[
                define_job_of_any_partitions(
                    COMMAND_LINE_JOB,
                    dg.AssetSelection.all(),
                    "Runs of `analytics-assets materialize`.",
                )
            ],
            sensors=project_sensors(apis.values()),
        )
        return dg.Definitions.merge(definitions, shared)


def _everything_in(tree: dg.ComponentTree) -> dg.Definitions:
    """Return the definitions of a tree of components, and the tree, which the UI shows.

    `dg.load_from_defs_folder` needs a `pyproject.toml`, which an installed package has not. As the
    whole `build_defs()`, it also imports all packages with components on the machine, such as
    boto3 by `dagster-aws`, and describes their types for a page of the UI: half of the time in
    which a process loads a project.
    """
    with warnings.catch_warnings():
        # of functions that Dagster calls itself
        for kind in (dg.PreviewWarning, dg.BetaWarning, dg.SupersessionWarning):
            warnings.simplefilter("ignore", kind)
        definitions = tree.build_defs(tree.defs_module_path)
    return dg.Definitions.merge(definitions, dg.Definitions(component_tree=tree))


@contextmanager
def _one_executor() -> Iterator[None]:
    """Raise the error of two executors with the remedy."""
    try:
        yield
    except Exception as error:
        refused = find_cause(error, dg.DagsterInvariantViolationError)
        if "both have an executor" not in str(refused):
            raise
        raise ConfigurationError(
            "Two APIs in `defs/` have different executors, and Dagster has one for a project: give "
            "the same object to each `build_definitions(API, executor=...)`, or none, and set "
            "`executor`."
        ) from None


@contextmanager
def _duplicates_named() -> Iterator[None]:
    """Raise the error of a name that occurs twice, such as in a copied folder, with the remedy."""
    try:
        yield
    except dg.DagsterInvalidDefinitionError as error:
        found = DUPLICATE.search(str(error))
        if found is None:
            raise
        kind = (found["kind"] or "job, schedule or sensor").strip()
        name = "/".join(QUOTED.findall(found["name"])) or found["name"]
        raise ConfigurationError(
            f"Two files in `defs/` define the {kind} `{name}`: rename one of the two, such as in a "
            "folder that was copied."
        ) from None


def _refuse_hidden_apis(
    apis: Mapping[str, Api], assets: Collection[dg.AssetKey], defs: ModuleType
) -> None:
    """Refuse an API that Dagster or the command line would leave out without a word."""
    for api in apis.values():
        if not any(asset_key(resource) in assets for resource in api.resources.values()):
            raise ConfigurationError(
                f"The API `{api.name}` has no definitions: its {NAME} needs a function with "
                "`@dg.definitions` that returns `build_definitions(API)`."
            )
    folders = tuple(str(Path(place).absolute()) for place in defs.__path__)
    for module in [vars(each) for each in sys.modules.values() if isinstance(each, ModuleType)]:
        hidden, file = module.get("API"), str(module.get("__file__"))
        if isinstance(hidden, Api) and file.startswith(folders) and hidden not in apis.values():
            raise ConfigurationError(
                f"{shown(file)} describes the API `{hidden.name}`, which commands do not find "
                f"there: move it to {Path(folders[0]).name}/{hidden.name}/{NAME}."
            )


def project_sensors(apis: Iterable[Api]) -> list[dg.SensorDefinition]:
    """Build the sensors that a project has once, for all its APIs; all are on by default.

    `load_project` adds them. Definitions that are made without it, by `build_definitions`, need
    them beside it.

    Args:
        apis: the APIs of the project.

    Example:
        >>> [sensor.name for sensor in project_sensors([])]
        ['housekeeping', 'alerts']
    """
    forget_looked_up_values()
    known = list(apis)
    return [build_housekeeping_sensor(known), build_alert_sensor(known)]


def load_apis(defs: ModuleType) -> Mapping[str, Api]:
    """Load the API of every folder in `defs/` that describes one; needs no OpenAPI document yet.

    Args:
        defs: the module of the folder.

    Returns:
        The APIs by name.

    Raises:
        ConfigurationError: an API is invalid, or two have the same name.
    """
    apis: dict[str, Api] = {}
    for folder in _contents(defs):
        api = _load_api(defs, folder)
        if api and api.name in apis:
            raise ConfigurationError(
                f"Two APIs in `defs/` have the name `{api.name}`; rename one of them."
            )
        if api:
            apis[api.name] = api
    return apis


def _contents(defs: ModuleType) -> list[Path]:
    """Return the folders and files of `defs/`, without Python's own."""
    found = [each for place in defs.__path__ for each in Path(place).iterdir()]
    return sorted(each for each in found if not each.name.startswith("__"))


def _load_api(defs: ModuleType, folder: Path) -> Api | None:
    """Return the API that a folder of `defs/` describes; None if it describes none."""
    file, in_yaml = folder / NAME, folder / YAML_NAME
    attributes = attributes_in(in_yaml) if in_yaml.is_file() else None
    if attributes is not None:
        if file.exists():
            raise ConfigurationError(
                f"{shown(str(file))} and {shown(str(in_yaml))} both describe an API; Dagster loads "
                "the second one alone. Remove one of them."
            )
        return api_of(attributes, in_yaml)
    if not file.exists():
        return None
    with errors_located():
        module = import_module(f"{defs.__name__}.{folder.name}.{file.stem}")
    api = getattr(module, "API", None)
    if not isinstance(api, Api):
        raise ConfigurationError(
            f"{shown(str(file))} has no `API`: set it to an `Api(...)`, as `analytics/api.py` does."
        )
    return api
