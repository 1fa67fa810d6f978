"""The command `new` without a document: options, or three questions on a terminal."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from analytics_assets import defs
from analytics_assets.cli.commands.new.questions import AUTHS
from analytics_assets.orchestration.project import load_apis
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.support.project import copy_project

OPTIONS = ("--base-url", "https://api.example.com/", "--path", "v1/orders", "--auth")


@pytest.mark.parametrize("auth", AUTHS)
def test_options_make_an_entry_that_loads(invoke: Invoke, project: Path, auth: str) -> None:
    done = invoke("new", "shop", *OPTIONS, auth)

    assert done.exit_code == 0, done.output
    api = load_apis(defs)["shop"]
    assert api.config["client"]["base_url"] == "https://api.example.com"
    assert api.resources["orders"].endpoint["path"] == "/v1/orders"
    assert ("auth" in api.config["client"]) is (auth != "none")


def test_what_the_user_may_need_stands_in_comments(invoke: Invoke, project: Path) -> None:
    invoke("new", "shop", *OPTIONS, "bearer")
    text = (project / "shop" / "api.py").read_text()

    for word in ("data_selector", "paginator", "Incremental"):
        assert any(word in line for line in text.splitlines() if line.lstrip().startswith("# "))


def test_without_a_terminal_nothing_waits_for_an_answer(invoke: Invoke, project: Path) -> None:
    done = invoke("new", "shop", "--base-url", "https://api.example.com")

    assert done.exit_code == 2
    assert "all of `--base-url`, `--path` and `--auth`" in " ".join(done.output.split())


def test_a_base_url_without_a_scheme_is_refused(invoke: Invoke, project: Path) -> None:
    options = ("--base-url", "api.example.com", "--path", "/a", "--auth", "none")
    done = invoke("new", "shop", *options)

    assert done.exit_code == 2
    assert "did you mean 'https://api.example.com'?" in " ".join(done.output.split())


def test_a_terminal_is_asked_three_questions_with_defaults(clean_place: Path) -> None:
    copy_project(clean_place)
    command = [sys.executable, "-m", "analytics_assets.cli.main", "new", "shop"]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(clean_place)}
    os.write(ours, b"https://shop.example.com\n\nnone\n")
    done = subprocess.run(
        command, stdin=theirs, env=environment, cwd=clean_place, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    asked = "Base URL of the API [https://api.example.com]: Path of the first resource [/v1/orders]"
    assert asked in done.stdout
    text = (clean_place / "analytics_assets/defs/shop/api.py").read_text()
    assert '"base_url": "https://shop.example.com"' in text
