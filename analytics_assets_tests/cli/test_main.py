"""The commands of `analytics-assets`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from analytics_assets.cli.instance import open_instance
from analytics_assets.config.errors import SettingsError
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.conftest import ROOT


def test_help_lists_the_commands(invoke: Invoke) -> None:
    listed = set(re.findall(r"^  (\w+) ", invoke("--help").stdout, re.MULTILINE))

    assert listed >= {"check", "contract", "materialize"}


def test_a_command_imports_what_it_needs_when_it_is_called() -> None:
    program = (
        "import sys; from analytics_assets.cli.main import main; "
        "sys.exit(str({'dagster', 'dlt', 'pydantic', 'rich'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.strip() == "set()"


def test_help_imports_no_command() -> None:
    program = (
        "import sys; from analytics_assets.cli.main import main; "
        "main.main(['--help'], standalone_mode=False); "
        "sys.exit(str({'dagster', 'dlt', 'pydantic', 'rich'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.strip() == "set()"
    assert "materialize" in done.stdout


def test_a_load_shows_that_it_starts_before_anything_is_imported() -> None:
    program = (
        "import sys; from analytics_assets.cli.main import main; "
        "main.invoke = lambda *_: sys.exit(str({'dagster', 'dlt', 'rich'} & {*sys.modules})); "
        "main.main(['materialize'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr.strip()) == ("Starting ...\n", "set()")


@pytest.mark.parametrize("arguments", [("check", "none"), ("materialize", "--help"), ("--help",)])
def test_the_output_of_other_commands_has_no_such_line(
    invoke: Invoke, arguments: tuple[str, ...]
) -> None:
    assert "Starting" not in invoke(*arguments).output


END = """
import atexit, sys, threading
from analytics_assets.cli.main import end_process
atexit.register(print, "the end", end="")
threading.Thread(target=threading.Event().wait).start()
end_process({code!r})
"""


@pytest.mark.parametrize(
    ("code", "exit_code", "message"), [(None, 0, ""), (3, 3, ""), ("refused", 1, "refused\n")]
)
def test_a_process_ends_at_once_with_its_output_and_its_exit_code(
    code: str | int | None, exit_code: int, message: str
) -> None:
    command = [sys.executable, "-c", END.format(code=code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stdout, done.stderr) == (exit_code, "the end", message)


def test_an_unknown_command_is_refused_with_the_names_of_others(invoke: Invoke) -> None:
    done = invoke("materialise")
    assert done.exit_code == 2
    assert "No such command 'materialise'" in done.output


@pytest.mark.parametrize(
    "command", [("materialize", "page_views"), ("check", "page_views"), ("contract",)]
)
def test_a_command_in_a_folder_without_the_settings_asks_no_embedded_api(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, clean_place: Path, command: tuple[str, ...]
) -> None:
    monkeypatch.delenv("SANDBOX__ENABLED")
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(clean_place / "production.duckdb"))
    done = invoke(*command)
    assert done.exit_code == 1
    assert " from an unknown address" in done.output or "Asking an unknown address" in done.output
    assert "The analytics API needs the setting `base_url`, which is missing" in done.output
    assert str(clean_place / ".dlt") in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("text", "described"),
    [
        (
            "storage:\n  sqlite:\n\tbase_dir: x\n",
            ", line 3: found character '\\t' that",
        ),
        (
            "storage:\n  sqlit:\n    base_dir: x\n",
            ': Received unexpected config entry "sqlit"',
        ),
        (
            "telemetri:\n  enabled: false\n",
            ': Received unexpected config entry "telemetri"',
        ),
    ],
)
def test_an_error_of_dagster_yaml_names_file_and_entry(
    text: str, described: str, clean_place: Path
) -> None:
    file = clean_place / "dagster.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError) as refused, open_instance():
        pass
    assert str(refused.value).startswith(f"{file}{described}")
    assert "Correct the " in str(refused.value)


def test_a_command_waits_for_another_that_opens_the_history_for_lock_patience(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    monkeypatch.setenv("LOCK_PATIENCE", "0.1")
    file = clean_place / ".dagster" / "opening.lock"
    file.parent.mkdir()
    with FileLock(file), pytest.raises(SettingsError) as refused, open_instance():
        pass
    assert str(refused.value).startswith(f"Another process holds {file} for longer than 0.1 s")
