"""Private behaviour of dlt that the look-up of settings works around."""

import re
from typing import Any

from dlt.common.configuration import configspec
from dlt.common.configuration.utils import TraceLogContext
from dlt.common.typing import TSecretStrValue
from dlt.destinations.impl.postgres.configuration import PostgresCredentials

# with a driver, as SQLAlchemy writes it
POSTGRES_SCHEME = re.compile(r"postgres(?:ql)?(?:\+\w+)?://")


def libpq_url(url: Any) -> str | None:
    """Return the URL of a PostgreSQL database as libpq takes it; None for any other value.

    Example:
        >>> libpq_url("postgresql+psycopg2://loader@db.test/warehouse")
        'postgresql://loader@db.test/warehouse'
    """
    found = POSTGRES_SCHEME.match(url) if isinstance(url, str) else None
    return f"postgresql://{found.string[found.end() :]}" if found else None


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

    def parse_native_representation(self, native_value: Any) -> None:
        """Read a URL, whose scheme may have a driver: dlt 1.31.0 hands it to libpq as it is."""
        super().parse_native_representation(libpq_url(native_value))


def forget_looked_up_values() -> None:
    """Keep no list of the values that dlt looks up in this process.

    dlt 1.31 keeps each of them, secrets included, in a list for each thread, until a pipeline in it
    begins a trace. A process of Dagster's code location runs no pipeline: its list grows with each
    tick of a sensor. The traces of pipelines, which nothing here reads, have no values then.
    """
    TraceLogContext.logging_enabled = False
