"""`deploy/Dockerfile`: what it copies, installs and runs exists."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.project.deploy.files import (
    DEPLOY,
    check_command,
    check_variables,
    command_of,
    instruction,
)
from deploy.serve.deployment import Deployment

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_a_linter_of_dockerfiles_finds_nothing() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run(
        [linter, "--no-color", DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_both_stages_begin_with_a_python_that_the_project_takes() -> None:
    bases = {text.split()[0] for text in instruction("FROM")}
    [version] = {re.fullmatch(r"python:3\.(\d+)-slim-trixie", base)[1] for base in bases}  # type: ignore[index]
    assert int(version) >= int(PROJECT["requires-python"].removeprefix(">=3."))


def copied() -> list[str]:
    """Return what is copied from the project."""
    return [
        source
        for text in instruction("COPY")
        if not text.startswith("--from")
        for source in text.split()[:-1]
    ]


def test_what_is_copied_exists_and_is_sent_to_the_builder() -> None:
    ignored, *admitted = [
        line
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line and not line.startswith("#") and line != "**/__pycache__"
    ]
    assert ignored == "**"
    assert sorted(copied()) == sorted(line.removeprefix("!") for line in admitted)
    assert [source for source in copied() if not (ROOT / source).exists()] == []


def test_secrets_and_data_are_in_no_layer() -> None:
    private = (".dlt/secrets.toml", ".dlt", "deploy", ".", "deploy/secrets", ".dagster", ".serve")
    assert not {*copied()} & {*private}


def test_what_the_image_has_installed_is_an_extra_with_pins() -> None:
    extras = PROJECT["optional-dependencies"]
    [default] = instruction("ARG")
    assert default.removeprefix("EXTRAS=") in extras
    for extra in ("kubernetes", "s3"):  # as its comments and Helm's values name them
        assert extra in extras
    [install] = [text for text in instruction("RUN") if "pip install" in text]
    assert "--constraint constraints.txt" in install


def test_it_does_not_run_as_root_and_owns_what_it_writes() -> None:
    [user] = instruction("USER")
    [added] = [text for text in instruction("RUN") if "useradd" in text]
    assert f"--uid {user} " in added
    [volumes] = instruction("VOLUME")
    assert f"chown dagster:dagster {' '.join(command_of(volumes))}" in added
    *_, environment = instruction("ENV")
    values = dict(word.split("=", 1) for word in shlex.split(environment))
    for name in ("DAGSTER_FILES", "REFRESH_TOKEN_DIR", "PIPELINES_DIR"):
        assert values[name].startswith(tuple(f"{each}/" for each in command_of(volumes)))
    assert Path(values["DAGSTER_HOME"]) == Path("/app/deploy")
    check_variables([*values])


def test_it_runs_the_code_location_as_make_serve_does(tmp_path: Path) -> None:
    [command] = map(command_of, instruction("CMD"))
    code = next(Deployment(tmp_path, 3000, 4000)._programs())
    here = ["127.0.0.1" if word == "0.0.0.0" else word for word in command]
    assert here == [*code.command[2:]]
    check_command(command)


def test_its_health_check_asks_the_port_that_it_serves() -> None:
    [text] = instruction("HEALTHCHECK")
    check_command(command_of(text))
    [command] = map(command_of, instruction("CMD"))
    [exposed] = instruction("EXPOSE")
    assert command_of(text)[-1] == command[command.index("--port") + 1] == exposed


def test_what_dagster_takes_from_the_environment_may_be_a_mounted_file(tmp_path: Path) -> None:
    [entrypoint] = map(command_of, instruction("ENTRYPOINT"))
    script = ROOT / entrypoint[0].removeprefix("/app/")
    assert os.access(script, os.X_OK)
    (tmp_path / "DAGSTER_POSTGRES_URL").write_text("postgresql://a:b c@d/e?f=$g\n")
    environment = {"PATH": os.environ["PATH"], "SECRETS_DIR": str(tmp_path), "OTHER": "kept"}
    done = subprocess.run(
        [script, "sh", "-c", 'printf "%s %s|%s" "$DAGSTER_POSTGRES_URL" "$OTHER" "$1"', "-", "a b"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "postgresql://a:b c@d/e?f=$g kept|a b"


def test_the_environment_goes_before_the_mounted_file(tmp_path: Path) -> None:
    (tmp_path / "DAGSTER_POSTGRES_URL").write_text("of the file")
    environment = {"PATH": os.environ["PATH"], "SECRETS_DIR": str(tmp_path)}
    command = [str(ROOT / "deploy" / "entrypoint.sh"), "printenv", "DAGSTER_POSTGRES_URL"]
    of_both = {**environment, "DAGSTER_POSTGRES_URL": "of the environment"}
    assert subprocess.check_output(command, env=of_both, text=True) == "of the environment\n"
    assert subprocess.check_output(command, env=environment, text=True) == "of the file\n"


def test_a_mounted_file_that_cannot_be_read_is_named() -> None:
    user = "nobody" if os.geteuid() == 0 else None  # root reads any file
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        script = shutil.copy(ROOT / "deploy" / "entrypoint.sh", folder)
        url = Path(folder) / "DAGSTER_POSTGRES_URL"
        url.touch(mode=0o000)
        done = subprocess.run(
            [script, "echo", "started"],
            env={"PATH": "/usr/bin:/bin", "SECRETS_DIR": folder},
            cwd=folder,
            user=user,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode
    assert f"{url}: Permission denied" in done.stderr
    assert not done.stdout


def test_secrets_of_compose_are_kept_out_of_git() -> None:
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
