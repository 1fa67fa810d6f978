"""The options `--from` and `--to` of the command `materialize`."""

import pytest

from analytics_assets_tests.cli.command_line import summary
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.support.sandbox import Sandbox


def days_asked(server: Sandbox) -> set[tuple[str, str]]:
    windows = [each.query for each in server.requests if "start_date" in each.query]
    return {(each["start_date"], each["end_date"]) for each in windows}


@pytest.mark.usefixtures("duckdb_warehouse")
def test_the_partitions_of_a_range_are_loaded_again_and_no_others(
    invoke: Invoke, connected: Sandbox
) -> None:
    loaded = summary(invoke("materialize", "traffic_sources").stdout)["traffic_sources"]
    connected.requests.clear()

    done = invoke("materialize", "traffic_sources", "--from", "2025-07-04", "--to", "2025-07-06")

    assert done.exit_code == 0, done.output
    assert days_asked(connected) == {("2025-07-04", "2025-07-06")}
    begin = "Loading traffic_sources of 2025-07-04 to 2025-07-06 (3 partitions) ..."
    assert begin in " ".join(done.stdout.split())
    again = summary(done.stdout)["traffic_sources"]
    assert again[0] == "3"
    assert again[2] == loaded[2]  # rows in the table


@pytest.mark.usefixtures("duckdb_warehouse")
def test_of_an_api_the_resources_with_partitions_are_loaded(
    invoke: Invoke, connected: Sandbox
) -> None:
    done = invoke("materialize", "analytics", "--from", "2025-07-04", "--to", "2025-07-04")

    assert done.exit_code == 0, done.output
    assert {*summary(done.stdout)} == {"website_overview", "traffic_sources"}
    assert days_asked(connected) == {("2025-07-04", "2025-07-04")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("page_views", "traffic_sources", "--from", "2025-07-04"),
            "`--from` loads partitions, and analytics/page_views has none.",
        ),
        (("example_mart", "--from", "2025-07-04"), "nothing selected has any."),
        (("traffic_sources", "--to", "2025-07-04"), "`--to` ends a range: give `--from`, too."),
        (
            ("traffic_sources", "--from", "2025-07-01"),
            "analytics/traffic_sources has no partition before its first one, 2025-07-02. "
            "Nothing was loaded.",
        ),
        (("--from", "2025-07-09", "--to", "2025-07-08"), "The range is reversed"),
        (("--from", ""), "`` is neither a day nor a partition: give a day"),
        (("--from", "2025-07-04", "--to", ""), "`` is neither a day nor a partition: give a day"),
    ],
)
def test_what_has_no_such_partitions_is_refused_before_anything_is_asked_for(
    invoke: Invoke, connected: Sandbox, arguments: tuple[str, ...], message: str
) -> None:
    done = invoke("materialize", *arguments)

    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())
    assert connected.requests == []
