"""The folder `.dlt`: that of `DLT_PROJECT_DIR`, of the working folder, or of the project."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dlt
import pytest
from dlt.common.configuration import plugins
from dlt.common.configuration.providers.environ import EnvironProvider
from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.common.runtime.run_context import RunContext

from analytics_assets.config.settings.providers import run_context
from analytics_assets.config.settings.providers.run_context import (
    PROJECT,
    Environment,
    ProjectRunContext,
)
from analytics_assets.config.settings.resolution import resolved
from analytics_assets_tests.conftest import ROOT

IN_ANOTHER_PROCESS = """
import json
from analytics_assets.config.settings.look_up import look_up
print(json.dumps([look_up("base_url"), look_up("client_secret", "sources", "shop")]))
"""


def write(folder: Path, **settings: str) -> Path:
    (folder / ".dlt").mkdir(parents=True)
    lines = [f'{name} = "{value}"\n' for name, value in settings.items()]
    (folder / ".dlt" / "secrets.toml").write_text("".join(lines))
    return folder


def settings_dir() -> str:
    return ProjectRunContext(None).settings_dir


def test_the_folder_is_found_in_its_order(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_context, "PROJECT", clean_place / "project")
    monkeypatch.delenv("DLT_PROJECT_DIR")
    assert settings_dir() == "./.dlt"
    write(clean_place / "project")
    assert settings_dir() == str(clean_place / "project/.dlt")
    (clean_place / ".dlt/pipelines").mkdir(parents=True)  # as a load makes it
    assert settings_dir() == str(clean_place / "project/.dlt")
    (clean_place / ".dlt/config.toml").touch()
    assert settings_dir() == "./.dlt"
    monkeypatch.setenv("DLT_PROJECT_DIR", "named")
    assert settings_dir() == "named/.dlt"


def test_the_projects_own_folder_is_that_of_its_package() -> None:
    assert PROJECT == ROOT
    assert (PROJECT / "analytics_assets" / "defs").is_dir()


def test_all_of_dlt_in_a_process_sees_it(clean_place: Path) -> None:
    project = write(clean_place / "project", base_url="https://a.test", client_secret="of-toml")
    secrets = clean_place / "mounted"
    secrets.mkdir()
    (secrets / "SOURCES__SHOP__CLIENT_SECRET").write_text("of-file\n")
    named = {"DLT_PROJECT_DIR": str(project), "SECRETS_DIR": str(secrets)}
    for script in (IN_ANOTHER_PROCESS, f"import dlt; dlt.config.get('a')\n{IN_ANOTHER_PROCESS}"):
        ran = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | named,
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
        )
        assert json.loads(ran.stdout) == ["https://a.test", "of-file"]


def test_the_run_context_of_another_plugin_stays() -> None:
    class Other(RunContext):
        pass

    class Plugin:
        @staticmethod
        @plugins.hookimpl(specname="plug_run_context")
        def other(run_dir: str | None) -> Other:
            return Other(run_dir)

    manager = plugins.manager()
    plug = manager.hook.plug_run_context
    assert isinstance(plug(run_dir=None, runtime_kwargs=None), ProjectRunContext)
    manager.register(Plugin)
    try:
        assert type(plug(run_dir=None, runtime_kwargs=None)) is Other
    finally:
        manager.unregister(Plugin)


def test_defaults_of_settings_of_dlt_hold_without_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME__DLTHUB_TELEMETRY")
    assert dlt.config.get("load.truncate_staging_dataset", bool)
    assert not resolved(RuntimeConfiguration()).dlthub_telemetry
    monkeypatch.setenv("LOAD__TRUNCATE_STAGING_DATASET", "false")
    assert not dlt.config.get("load.truncate_staging_dataset", bool)


def test_dlt_writes_files_of_secrets_into_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails, dlt does so no more, and `Environment` may go."""
    monkeypatch.setattr(
        "dlt.common.configuration.providers.environ.SECRET_STORAGE_PATH", f"{tmp_path}/%s"
    )
    monkeypatch.setenv("A_SECRET", "before")
    (tmp_path / "a-secret").write_text("after")
    hint = dlt.TSecretStrValue
    assert Environment().get_value("a_secret", hint, None) == ("before", "A_SECRET")
    EnvironProvider().get_value("a_secret", hint, "")
    assert os.environ["A_SECRET"] == "after"
