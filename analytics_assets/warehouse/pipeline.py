"""A dlt pipeline that shares its warehouse with others."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from dlt import Schema
from dlt.common.pipeline import LoadInfo
from dlt.common.schema.utils import is_complete_column
from dlt.pipeline.helpers import retry_schema_update
from dlt.pipeline.pipeline import Pipeline
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random

MOST_TRIES = 5  # of which each can fail only because another load has made a table meanwhile
PAUSE = wait_random(0.05, 0.5)  # seconds


class LoadingPipeline(Pipeline):
    """A dlt pipeline that shares its warehouse with others.

    It holds the warehouse while it reads from it or writes to it, and not while it waits for the
    API. Loads that make the same schema or table in the same moment refuse each other; dlt says
    how to go on: https://dlthub.com/docs/running-in-production/running
    """

    held: Callable[[], AbstractContextManager[None]] = nullcontext
    """Holds the warehouse for as long as its context lasts."""

    can_go_on: Callable[[Exception], bool] | None = None
    """Tells of the error of a load whether to go on with it, as something has been mended."""

    after_load: Callable[[], None] | None = None
    """Is called after each load, while the warehouse is still held."""

    def load(self, *args: Any, **kwargs: Any) -> LoadInfo:
        """Load what is normalized; see dlt's method of this name."""
        conflicts = Retrying(
            retry=retry_if_exception(retry_schema_update()),
            stop=stop_after_attempt(MOST_TRIES),
            wait=PAUSE,
            reraise=True,
        )
        with self.held():
            try:
                info = conflicts(super().load, *args, **kwargs)
            except Exception as error:
                if not (self.can_go_on and self.can_go_on(error)):
                    raise
                info = conflicts(super().load, *args, **kwargs)
            if self.after_load:
                self.after_load()
        return info

    def _sync_destination(self, *args: Any, **kwargs: Any) -> None:
        # dlt 1.31 calls this, not the public method without the underscore, when it runs
        with self.held():
            super()._sync_destination(*args, **kwargs)
        for name in self.schemas:
            _forget_columns_without_a_value(self.schemas[name])


def _forget_columns_without_a_value(schema: Schema) -> None:
    """Leave out columns that the table does not have, as no value has come of them.

    dlt 1.31 keeps what an earlier entry said of them. A key that no row has would go on to refuse
    all rows, also once the entry names another one.
    """
    for table in schema.tables.values():
        columns = table["columns"]
        for column in [name for name in columns if not is_complete_column(columns[name])]:
            del columns[column]
