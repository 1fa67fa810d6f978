"""Settings of the database in which processes share the limits of APIs, and their tokens."""

from base64 import urlsafe_b64decode
from importlib.util import find_spec
from typing import ClassVar

from dlt.common.configuration import configspec
from dlt.common.configuration.exceptions import ConfigFieldMissingException, InvalidNativeValue
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import TSecretStrValue

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.compat import PostgresUrl, libpq_url
from analytics_assets.config.settings.look_up import look_up
from analytics_assets.config.settings.resolution import resolved
from analytics_assets.redaction.configuration import learn_secrets
from analytics_assets.redaction.redactor import redact

WAREHOUSE = "postgres"
KEY_BYTES = 32


@configspec
class SharedStoreSettings(BaseConfiguration):
    """The database in which processes share the limits of APIs, and their tokens.

    Args:
        url: a PostgreSQL database; None for the warehouse if it is one, else for no store.
        encryption_key: a key of Fernet by which tokens are encrypted there, and earlier ones behind
            it, after spaces; None to keep no token there.
    """

    url: TSecretStrValue | None = None
    encryption_key: TSecretStrValue | None = None

    __section__: ClassVar[str] = "shared_store"

    @property
    def fernet_keys(self) -> list[str]:
        """The keys; the first one encrypts, and all decrypt."""
        return (self.encryption_key or "").split()


@configspec
class PatienceSettings(BaseConfiguration):
    """The seconds that a run waits for what another process holds, or for a store."""

    lock_patience: float = 3600


@configspec
class _WarehouseCredentials(BaseConfiguration):
    credentials: PostgresUrl = None  # type: ignore[assignment]  # dlt's way to require it


def resolve_shared_store() -> SharedStoreSettings:
    """Look the settings up; the secrets among them are in no text from then on.

    Raises:
        SettingsError: a value cannot be used.
    """
    settings = resolved(SharedStoreSettings())
    for key in settings.fernet_keys:
        redact.add(key)
        _check_key(key)
    url = (settings.url or "").strip() or _warehouse_url()
    learn_secrets(url)
    settings.url = libpq_url(url)
    if url and not settings.url:
        raise SettingsError(
            "The setting `shared_store.url` is no URL of a PostgreSQL database: its form is "
            "postgresql://user:password@host:5432/database."
        )
    return settings


def _check_key(key: str) -> None:
    try:
        is_key = len(urlsafe_b64decode(key)) == KEY_BYTES
    except ValueError:
        is_key = False
    if not is_key:
        raise SettingsError(
            "The setting `shared_store.encryption_key` is no key of Fernet. Make one by: python -c "
            "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'. "
            "Earlier keys may stand behind it, after spaces."
        )


def resolve_patience() -> float:
    """Return the seconds that a run waits for a store that cannot be reached."""
    return resolved(PatienceSettings()).lock_patience


def _warehouse_url() -> str | None:
    """Return the URL of the warehouse, None if it is another one; a load names what is wrong."""
    if str(look_up("destination_type") or "").strip() != WAREHOUSE or not find_spec("psycopg2"):
        return None
    try:
        found = resolved(_WarehouseCredentials(), ("destination", WAREHOUSE))
    except (ConfigFieldMissingException, InvalidNativeValue):
        return None
    return str(found.credentials.to_native_representation())
