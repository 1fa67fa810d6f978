"""The `auth` of an entry or of `client`: its type, and its keys. No value of it is shown."""

from typing import Any

from analytics_assets.config.errors import did_you_mean, listed
from analytics_assets.config.settings.oauth2 import OAUTH2_TYPES, STOCK_NAMES, OAuth2Settings
from analytics_assets.config.validation.compat import auth_fields, auth_types

EXAMPLE = '{"type": "bearer", "token": dlt.secrets.value}'


def wrong_auth(auth: Any) -> str | None:
    """Describe an `auth` of an unknown type, or a key of it that its type does not have.

    Args:
        auth: a type, or a dictionary; an object is dlt's or the user's own.

    Returns:
        The end of an error message; None if nothing is wrong.
    """
    types = [*dict.fromkeys((*auth_types(), *OAUTH2_TYPES))]
    if isinstance(auth, str):  # which may be a secret
        return None if auth in types else f"`auth` is a text that is no type; give {EXAMPLE}."
    if isinstance(auth, list | tuple | int):
        return f"`auth` is a {type(auth).__name__}; give a dictionary such as {EXAMPLE}."
    if not isinstance(auth, dict):
        return None
    kind = auth.get("type") or "bearer"
    if kind not in types:
        close = did_you_mean(str(kind), types)
        return f"`auth` is of a `type` that is not there{close} Types are {listed(types)}."
    fields = auth_fields(kind)
    if kind in OAUTH2_TYPES:
        fields = [*OAuth2Settings.get_resolvable_fields(), *STOCK_NAMES]
    known = [*dict.fromkeys((*fields, "type"))]
    for key in auth:
        if key not in known:
            return (
                f"`auth` of the type {kind!r}: unknown key {key!r}{did_you_mean(key, known)} "
                f"Known keys are {listed(known)}."
            )
    return None
