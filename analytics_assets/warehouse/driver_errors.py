"""Errors of the drivers of warehouses, and of the disk, as sentences with a remedy.

A driver's text says what happened, and where where it knows that; it never has a password. The
lines behind its first one may quote a statement or a row, and are left out, as is a value in it.
"""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.warehouse.errors import WarehouseError, WarehouseLockedError

DRIVERS = ("duckdb", "_duckdb", "psycopg2", "adbc_driver_manager")
PREFIX = re.compile(r"\A(?:(?:IO|FATAL|INTERNAL|[A-Z][a-z ]+) Error: |IO: |\[libpq\] )+")
VALUE = re.compile(r"""(["']).*\1|(?<=with value )\S+""")
# the class of data exceptions in SQLSTATE, and DuckDB's errors that quote a value of a row
OF_DATA, OF_VALUES = "22", ("Conversion Error", "Constraint Error")
LOCKED = re.compile(r'lock on file "(?P<file>[^"]+)"(?:.*?held in (?P<process>.+?\(PID \d+\)))?')


class Case(NamedTuple):
    """A kind of errors.

    Args:
        texts: a pattern of their texts.
        event: the event, in a sentence whose end is the driver's text.
        remedy: the sentences behind it.
        states: their codes in PostgreSQL, whose texts may be in another language.
    """

    texts: str
    event: str
    remedy: str
    states: tuple[str, ...] = ()


DAMAGED_REMEDY = (
    "The file is damaged. Restore it from a backup; or move it away and run `analytics-assets "
    "materialize`, which makes a new one and loads all resources into it."
)
DISK_REMEDY = (
    "Committed rows are unchanged. Free space there, or move the file "
    "(`destination.duckdb.credentials`), dlt's working files (`pipelines_dir`) or the temporary "
    "files (the environment variable TMPDIR), and run again."
)
CREDENTIALS_REMEDY = (
    "Check user, password, host and database in `destination.postgres.credentials`."
)
CASES = (
    Case(
        # an SQLite file in place of DuckDB's asks for an extension, too
        'Failed to attach DuckLake|Failed to (download|install) extension "(?!sqlite)',
        "DuckDB needs an extension, which it cannot download here",
        "Let this machine reach extensions.duckdb.org once, or install the package "
        "`duckdb-extension-<name>` of the same version as `duckdb`.",
    ),
    Case(
        "created with a newer version of DuckDB",
        "The warehouse was written by a newer DuckDB",
        "Install that version of the package `duckdb`, or name another file in "
        "`destination.duckdb.credentials`.",
    ),
    Case(
        "not a valid DuckDB database file|sqlite_scanner|file is not a database",
        "The warehouse cannot be opened, as its file is no DuckDB database",
        "Nothing was changed. Name another file in `destination.duckdb.credentials`, or move this "
        "one away.",
    ),
    Case(
        "[Cc]orrupt|Could not read enough bytes|does not match stored checksum|"
        "Failed to load metadata pointer|Failed to deserialize|Failure while replaying WAL",
        "The warehouse cannot be read",
        DAMAGED_REMEDY,
    ),
    Case(
        r"No space left|[Dd]isk quota|File too large|could not extend file|Could not write|"
        "max_temp_directory_size|disk full",
        "The disk is full",
        DISK_REMEDY,
        ("53100",),
    ),
    Case(
        "Out of Memory Error|out of memory|could not allocate",
        "The warehouse has not enough memory",
        "Raise its limit (for DuckDB `memory_limit` in "
        "`destination.duckdb.credentials.global_config`), or load fewer resources at a time.",
        ("53200",),
    ),
    Case(
        "(?i)cannot open file .*(permission denied|read-only file system)",
        "The warehouse cannot be opened",
        "Give this user the right to read and write the file and its folder, or name another file "
        "in `destination.duckdb.credentials`.",
    ),
    Case(
        r"(?i)(cannot open|could not read from) file .*(no such file|is a directory)",
        "The warehouse cannot be opened",
        "Name a file in a folder that exists in `destination.duckdb.credentials`.",
    ),
    Case(
        "index row (size|requires)",
        "A key is longer than an index of PostgreSQL takes",
        'Nothing of this load was committed. Set `"indexes": False` in the policy of the resource, '
        "drop that index (DROP INDEX), and run again.",
    ),
    Case(
        "due to statement timeout",
        "The warehouse ended a statement after its `statement_timeout`",
        "Nothing of this load was committed. Raise it for the user of "
        "`destination.postgres.credentials` (ALTER ROLE ... SET statement_timeout), or load fewer "
        "rows at a time (`Partitioned`).",
    ),
    Case(
        "due to lock timeout|deadlock detected",
        "Another session has locked what the load needs in the warehouse",
        "Nothing of this load was committed. Run again once that session has ended, or raise "
        "`lock_timeout` of the user; `pg_stat_activity` lists the sessions.",
        ("55P03", "40P01"),
    ),
    Case(
        "canceling statement|terminating connection|server closed the connection|"
        "connection to server .*(was lost|closed)|no connection to the server|"
        "connection already closed|SSL connection has been closed|could not receive data|"
        "(starting up|shutting down)",
        "The connection to the warehouse was lost",
        "The transaction in progress is rolled back. Run again once the server is up; if it ends "
        "long statements or sessions, raise those limits.",
        ("57014", "57P01", "57P02", "57P03", "57P05", "08000", "08003", "08006", "25P03"),
    ),
    Case(
        "(?i)too many (connections|clients)|remaining connection slots|no more connections allowed",
        "The warehouse has no connection left",
        "A load takes up to four. Raise `max_connections` of the server or the limit of the user "
        "or database, or let fewer runs load at a time (`concurrency` in `dagster.yaml`).",
        ("53300",),
    ),
    Case(
        "password authentication failed|no password supplied|no pg_hba.conf entry|"
        'role ".*" (does not exist|is not permitted)|authentication failed',
        "The warehouse refuses the sign-in",
        CREDENTIALS_REMEDY,
        ("28P01", "28000"),
    ),
    Case(
        'database ".*" does not exist',
        "The warehouse has no such database",
        f"Create it, or name another one. {CREDENTIALS_REMEDY}",
        ("3D000",),
    ),
    Case(
        "unsupported startup parameter",
        "A pooler before the warehouse refuses what dlt asks for",
        "Set `ignore_startup_parameters = options` in PgBouncer, or name the server itself in "
        "`destination.postgres.credentials`.",
    ),
    Case(
        r"connection to server .* failed|could not (connect|translate host name)|"
        "Connection refused|timeout expired|Failed to connect",
        "The warehouse cannot be opened",
        f"Is the server up, and can this machine reach it? {CREDENTIALS_REMEDY}",
        ("08001", "08004"),
    ),
    Case(
        "read-only transaction|read-only mode",
        "The warehouse takes no changes",
        "It is a read-only copy, or `default_transaction_read_only` is set: name the primary "
        "server in `destination.postgres.credentials`.",
        ("25006",),
    ),
    Case(
        "(?i)permission denied for|must be owner of",
        "The user of the warehouse may not do this",
        "Grant the user of `destination.postgres.credentials` CREATE on the database, and all "
        "rights on the schemas of the load, which end in `_staging` too.",
        ("42501",),
    ),
    Case(
        "conflicts with a system column",
        "A field has the name of a column that PostgreSQL keeps for itself",
        "Give its column another name in the resource's policy, such as "
        '"rename": {"ctid": "ctid_value"}.',
    ),
    Case(
        "can have at most 1600 columns|row is too big",
        "The rows of the resource have more columns than the warehouse can store",
        "Leave fields out by a `map` in `processing_steps`, or keep objects whole, as JSON: "
        '"max_table_nesting": 0 or "columns": {"<object>": {"data_type": "json"}} in the entry.',
        ("54011", "54000"),
    ),
    Case(
        "(?i)violates not-null constraint|NOT NULL constraint failed",
        "A column of the table takes no null, and a row has no value for it",
        "Remove the constraint from the column in the warehouse (ALTER TABLE ... ALTER COLUMN ... "
        "DROP NOT NULL), or correct the rows.",
        ("23502",),
    ),
)
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def translated_errors(file: object = None) -> Iterator[None]:
    """Replace errors of a driver and of the disk by sentences with the remedy.

    Args:
        file: the DuckDB file of the warehouse, for errors that do not name it; None for another.

    Raises:
        WarehouseError: in place of such an error; any other passes unchanged.
    """
    try:
        yield
    except Exception as error:
        translated = warehouse_error(error, file)
        if translated is None:
            raise
        raise translated from error


def warehouse_error(error: BaseException, file: object = None) -> WarehouseError | None:
    """Return the error that says what happened, where, and what to do.

    Args:
        error: the error of a load or a query, with its causes.
        file: as for `translated_errors`.

    Returns:
        The error; None if no driver and no full disk is among the causes, or if one of them is an
        error of this project already.
    """
    causes = list(_causes(error))
    if any(isinstance(cause, AnalyticsAssetsError) for cause in causes):
        return None
    for cause in causes:
        if type(cause).__module__.partition(".")[0] in DRIVERS:
            return _of_driver(cause, file)
        if isinstance(cause, OSError) and cause.errno in (*DISK, *FORBIDDEN):
            return _of_disk(cause)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors of a chain, the deepest first."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    yield from reversed(chain)


def _of_driver(error: BaseException, file: object) -> WarehouseError:
    text, state = str(error).strip(), getattr(error, "pgcode", None) or _state(error)
    if locked := LOCKED.search(text):
        return _locked(locked["file"], locked["process"] or "another process")
    said = PREFIX.sub("", text).partition("\n")[0].rstrip(" .")
    if str(state).startswith(OF_DATA) or text.startswith(OF_VALUES):
        said = VALUE.sub("(a value)", said)
    if file and str(file) not in said:
        said = f"{file}: {said}"
    by_text = [case for case in CASES if re.search(case.texts, text)]
    by_state = [case for case in CASES if state in case.states]
    # a text says more than a code, where it is in English
    for case in (*by_text, *by_state):
        return WarehouseError(f"{case.event}: {said}. {case.remedy}")
    return WarehouseError(f"The warehouse failed: {said}.")


def _state(error: BaseException) -> str | None:
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else None


def _of_disk(error: OSError) -> WarehouseError:
    place = f"{error.filename}: " if error.filename else ""
    said = f"{place}{error.strerror or error}"
    if error.errno in DISK:
        return WarehouseError(f"The disk is full: {said}. {DISK_REMEDY}")
    return WarehouseError(
        f"A file or a folder cannot be written: {said}. Give this user the right to write there, "
        "or name another place for dlt's working files (`pipelines_dir`)."
    )


def _locked(file: str, process: str) -> WarehouseLockedError:
    return WarehouseLockedError(
        f"the DuckDB file {file}",
        process,
        f"The DuckDB file {file} is held open by {process}. DuckDB takes one process at a "
        "time: close that one, or wait for its run to end, and run again.",
    )
