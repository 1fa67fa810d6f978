"""Windows that are left out, as those before them have failed."""

import dagster as dg

from analytics_assets.cli.commands.materialize.failed_windows import FailedWindows
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.keys import op_name
from analytics_assets.orchestration.partitions.due import DueRun

SOURCES, OVERVIEW = API.resources["traffic_sources"], API.resources["website_overview"]


def result_of(*failed: str) -> dg.ExecuteInProcessResult:
    """Return the outcome of a run of both resources; the named ones fail."""

    def op_of(name: str) -> dg.OpDefinition:
        @dg.op(name=name)
        def load() -> None:
            if name in failed:
                raise ValueError(f"{name} was refused")

        return load

    @dg.job
    def run() -> None:
        for each in (SOURCES, OVERVIEW):
            op_of(op_name(each))()

    return run.execute_in_process(raise_on_error=False)


def test_a_resource_is_left_out_after_two_failed_windows_in_a_row_and_others_are_not() -> None:
    due = [DueRun([SOURCES, OVERVIEW], [str(day)]) for day in range(6)]
    windows = FailedWindows(due)
    refused, loaded = result_of(op_name(SOURCES)), result_of()
    asked, sentences = [], []

    for run, result in zip(due, (refused, loaded, refused, refused, loaded, loaded), strict=True):
        left = windows.without_failed(run)
        asked.append(left.names == run.names)
        sentences.append(list(windows.note(left, result)))

    assert asked == [True, True, True, True, False, False]
    [reason] = sentences[0]
    assert reason.endswith("was refused")
    assert sentences[1:3] == [[], [reason]]
    assert sentences[3] == [
        reason,
        "Left out 2 other windows of analytics/traffic_sources, as 2 in a row failed: once the "
        "reason is gone, the same command loads what is missing.",
    ]
    assert sentences[4:] == [[], []]


def test_the_last_window_has_its_reason_in_the_summary_alone() -> None:
    due = [DueRun([SOURCES, OVERVIEW], [str(day)]) for day in range(2)]
    windows = FailedWindows(due)

    found = [list(windows.note(run, result_of(op_name(SOURCES)))) for run in due]

    assert [len(each) for each in found] == [1, 0]
