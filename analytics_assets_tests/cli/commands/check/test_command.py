"""The command `check`: signs in, and compares the first page of each resource with `api.py`."""

import re
from pathlib import Path

import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets.sandbox import sandbox_rows
from analytics_assets_tests.cli.command_line import BY_DAYS
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox


def of_requests(output: str) -> list[str]:
    """Return the lines behind the list of settings."""
    lines = output.splitlines()
    [first] = [number for number, line in enumerate(lines) if line.startswith("Asking ")]
    return lines[first:]


def test_check_signs_in_and_reads_two_pages_of_each_resource(
    invoke: Invoke, connected: Sandbox
) -> None:
    done = invoke("check")

    assert done.exit_code == 0, done.output
    first, *others = of_requests(done.stdout)
    assert first == f"Asking {connected.base_url} ..."
    days = "start_date=2025-07-28, end_date=2025-07-31"
    asked = dict.fromkeys(BY_DAYS, f" for {days}, none of them outside of that")
    asked["daily_active_users"] = " for updated_since=2025-01-01T00:00:00Z"
    for name, line, request in zip(API.resources, others[::2], others[1::2], strict=True):
        rows = sandbox_rows(name, TODAY)
        if name in BY_DAYS:
            rows = [row for row in rows if row["date"] >= "2025-07-28"]
        total = len(rows)
        found = f"{total} rows on the first page"
        if total > 100:
            found = f"100 and {min(100, total - 100)} rows on the first two pages (offset=100)"
        assert line.startswith(f"{name}: {found}{asked.get(name, '')}")
        assert line.endswith((f", total {total:,}", f"; the second (offset={total}) is empty"))
        assert request.startswith(f"    GET {connected.base_url}/v1/{name}?")
    sent = [each for each in connected.requests if each.path.startswith("/v1/")]
    assert len(sent) <= 2 * len(API.resources) + 1


def test_check_fails_for_a_resource_whose_rows_lack_a_field_of_api_py(
    invoke: Invoke, connected: Sandbox, api_file: Path
) -> None:
    text = api_file.read_text().replace('"primary_key": "id"', '"primary_key": "uuid"')
    api_file.write_text(text)

    done = invoke("check")

    assert done.exit_code == 1
    for name, line in zip(API.resources, of_requests(done.stdout)[1::2], strict=True):
        assert line.startswith(f"{name}: of ")
        assert "none has a value in `uuid`: set `primary_key`" in line


def test_check_names_the_resource_once(invoke: Invoke, connected: Sandbox) -> None:
    connected.faults.add(Fault(path="/v1/page_views", times=None, status=404))

    done = invoke("check")

    assert done.exit_code == 1
    assert f"\npage_views: GET {connected.base_url}/v1/page_views" in done.stdout


def test_check_prints_the_error_of_the_sign_in_without_the_secret(
    invoke: Invoke, connected: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_SECRET", "wrong-secret-marker")

    done = invoke("check")

    assert done.exit_code == 1
    assert "invalid_client" in done.stdout
    assert "wrong-secret-marker" not in done.output


def test_an_invalid_part_of_a_policy_is_refused_with_its_line(
    invoke: Invoke, api_file: Path
) -> None:
    lines = api_file.read_text().splitlines()
    [number] = [number for number, line in enumerate(lines) if line.startswith("BY_DAY = ")]
    lines[number] = lines[number].replace("date(2025, 7, 2)", "'2025-07-02'")
    api_file.write_text("\n".join(lines))

    done = invoke("check")

    assert done.exit_code == 1
    place = f"Error: edited/api.py, line {number + 1}"
    assert done.stderr.startswith(f"{place}: `Partitioned`: `start` cannot be '2025-07-02'")


@pytest.mark.usefixtures("connected")
def test_check_names_settings_that_nothing_reads(
    invoke: Invoke, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_place / ".dlt").mkdir()
    (clean_place / ".dlt" / "config.toml").write_text(
        "[reading]\nmax_in_fligt = 4\npasses = 3\n[load]\ntruncate_staging_dataset = true\n"
        "[sources.shop]\nscope = 'a'\n[runtime]\nlog_level = 'ERROR'\n"
    )
    monkeypatch.setenv("RUNTIME_REQUEST_TIMEOUT", "5")

    lines = [
        line for line in invoke("check", "page_views").stdout.splitlines() if "Nothing" in line
    ]

    assert lines == [
        "Nothing reads the setting `reading.max_in_fligt` in .dlt/config.toml; did you mean "
        "`reading.max_in_flight`?",
        "Nothing reads the environment variable `RUNTIME_REQUEST_TIMEOUT`; did you mean "
        "`RUNTIME__REQUEST_TIMEOUT`?",
    ]


def test_a_probe_prints_what_to_write_and_what_it_cost(invoke: Invoke, connected: Sandbox) -> None:
    done = invoke("check", "page_views", "--probe")

    assert done.exit_code == 0, done.output
    assert "    pages " in done.stdout
    assert "    its total, " in done.stdout
    assert "    [sources.analytics.reading]" in done.stdout
    sent = [each for each in connected.requests if each.path == "/v1/page_views"]
    probed = re.search(r"The probe took (\d+) requests beside", done.stdout)
    assert probed
    assert len(sent) == int(probed[1]) + 2
