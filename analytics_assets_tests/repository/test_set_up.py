"""Set-up by make: any Python from 3.11 on, and a clear message for others."""

import subprocess
from pathlib import Path

from analytics_assets_tests.conftest import ROOT


def test_a_python_that_is_too_old_is_refused_with_a_message(tmp_path: Path) -> None:
    too_old = tmp_path / "python3.10"
    too_old.write_text("#!/bin/sh\nexit 1\n")  # fails the comparison of versions
    too_old.chmod(0o755)
    makefile = ["make", "--file", str(ROOT / "Makefile"), "materialize", f"PYTHON={too_old}"]
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    done = subprocess.run(makefile, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "Python 3.11 or newer is needed; run make with PYTHON=" in done.stdout
    assert not (tmp_path / ".venv").exists()
