"""Windows of partitions that are left out, as those before them have failed.

A window may fail by itself, and the others are loaded all the same. An API that is down or refuses
the sign-in fails all of them, with minutes of retries for each.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import dagster as dg

from analytics_assets.cli.commands.materialize.outcome import failures
from analytics_assets.config.text.quantities import count
from analytics_assets.orchestration.keys import op_name
from analytics_assets.orchestration.partitions.due import DueRun

MOST_FAILED = 2  # windows of a resource in a row


class FailedWindows:
    """The windows of each resource that have failed in a row.

    Args:
        due: the runs of the command.
    """

    def __init__(self, due: Sequence[DueRun]) -> None:
        self._to_come = Counter(name for run in due for name in run.names)
        self._failed: Counter[str] = Counter()

    def without_failed(self, due: DueRun) -> DueRun:
        """Return a run without the resources whose last windows have failed."""
        kept = [each for each in due.resources if self._failed[each.full_name] < MOST_FAILED]
        return replace(due, resources=kept)

    def note(self, due: DueRun, result: dg.ExecuteInProcessResult) -> Iterator[str]:
        """Note the outcome of a run, and yield sentences about it while others are to come.

        Args:
            due: the run.
            result: its outcome.
        """
        steps = {event.node_name for event in result.get_step_failure_events()}
        for each in due.resources:
            name = each.full_name
            self._to_come[name] -= 1
            self._failed[name] = self._failed[name] + 1 if op_name(each) in steps else 0
        failed = [name for name in due.names if self._failed[name]]
        if any(self._to_come[name] for name in failed):
            yield from failures(result)
        for name in failed:
            left = self._to_come[name]
            if left and self._failed[name] == MOST_FAILED:
                yield (
                    f"Left out {count(left, 'other window')} of {name}, as {MOST_FAILED} in a row "
                    "failed: once the reason is gone, the same command loads what is missing."
                )
