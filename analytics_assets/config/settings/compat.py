"""Private behaviour of dlt that the look-up of settings works around."""

from dlt.common.configuration import configspec
from dlt.common.configuration.utils import TraceLogContext
from dlt.common.typing import TSecretStrValue
from dlt.destinations.impl.postgres.configuration import PostgresCredentials


@configspec(init=False)
class PostgresUrl(PostgresCredentials):
    """Credentials of PostgreSQL that need no more than the database.

    dlt 1.31.0 demands a user, a password and a host, too. What is left out, PostgreSQL's own
    library takes from `PGUSER`, `PGPASSWORD`, `PGHOST` and `~/.pgpass`, and the server may ask for
    none: a socket by the user of the process (peer), or a proxy that signs in by IAM.
    https://www.postgresql.org/docs/current/libpq-envars.html
    """

    username: str | None = None  # type: ignore[assignment]
    password: TSecretStrValue | None = None  # type: ignore[assignment]
    host: str | None = None  # type: ignore[assignment]


def forget_looked_up_values() -> None:
    """Keep no list of the values that dlt looks up in this process.

    dlt 1.31 keeps each of them, secrets included, in a list for each thread, until a pipeline in it
    begins a trace. A process of Dagster's code location runs no pipeline: its list grows with each
    tick of a sensor. The traces of pipelines, which nothing here reads, have no values then.
    """
    TraceLogContext.logging_enabled = False
