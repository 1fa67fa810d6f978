"""The jobs of a load into Delta tables; imported by those alone who load some."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dlt.common.destination.client import HasFollowupJobs, RunnableLoadJob
from dlt.destinations.impl.filesystem.filesystem import DeltaLoadFilesystemJob

from analytics_assets.warehouse.destinations.delta.compat.client import DELTA, DeltaClient
from analytics_assets.warehouse.destinations.delta.merge import TARGET, changes, staged_rows
from analytics_assets.warehouse.destinations.delta.table import (
    DELETED,
    arrow_schema,
    change_rows,
    rows_of,
    written_rows,
)


class EmptyJob(RunnableLoadJob):
    """A job that has nothing to do; dlt begins it, and sees its end at once."""

    def run(self) -> None:
        """Do nothing."""


class ListedJob(HasFollowupJobs, EmptyJob):
    """The job of a file whose rows another job writes, with those of all files of its table."""


class DeltaJob(DeltaLoadFilesystemJob):
    """The job that writes the rows of a load into a Delta table, in one commit."""

    def run(self) -> None:
        """Write the rows."""
        import duckdb
        import pyarrow as pa
        from deltalake import write_deltalake

        client, table = self._job_client, self._load_table
        assert isinstance(client, DeltaClient), "it makes this job"
        stored: Any = client.delta_table(self.load_table_name)
        disposition = table["write_disposition"]
        is_merged = disposition == "merge" and stored is not None
        known = stored and pa.schema(stored.schema().to_arrow())
        columns = {name: each for name, each in table["columns"].items() if each.get("data_type")}
        schema = arrow_schema(columns, known)
        prepared: Any = {**table, "columns": columns}
        package = Path(self.file_paths[0]).parent.parent
        with (
            TemporaryDirectory(dir=package) as folder,
            closing(duckdb.connect(config={"preserve_insertion_order": False})) as connection,
        ):
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET temp_directory = ?", [folder])
            if is_merged:
                if new := [each for each in schema if each.name not in known.names]:
                    import deltalake

                    stored.alter.add_columns([deltalake.Field.from_arrow(each) for each in new])
                client.register_bucket(connection)
                connection.execute(f"CREATE VIEW {TARGET} AS {rows_of(stored)}")
            if disposition == "merge":
                query = changes(prepared, self.file_paths, exists=is_merged)
            else:
                query = staged_rows(prepared, self.file_paths)
            if is_merged:
                schema = schema.append(pa.field(DELETED, pa.bool_()))
            source = written_rows(connection, query, schema, Path(folder))
            if is_merged:
                change_rows(stored, source)
            else:
                location = client.get_open_table_location(DELTA, self.load_table_name)
                write_deltalake(
                    stored if stored is not None else location,
                    source,
                    # a table keeps the folders of its first load
                    partition_by=self._partition_columns or None if stored is None else None,
                    mode="overwrite" if disposition == "replace" else "append",
                    schema_mode="merge",
                    storage_options=client.storage_options,
                    configuration=client.config.deltalake_configuration,
                )
