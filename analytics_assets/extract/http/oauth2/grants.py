"""The grants by which a client obtains a token; see also `refresh_token`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.extract.http.errors import TokenError

ASSERTION_LIFETIME = 3600  # seconds; Google refuses more


class Grant:
    """The client's own credentials (RFC 6749 section 4.4), and the base of other grants.

    Args:
        settings: the settings of the API's `auth`.
    """

    type = "client_credentials"
    client_authenticates = True  # the request carries the client's credentials and the scope

    def __init__(self, settings: OAuth2Settings) -> None:
        self._settings = settings

    @property
    def shown_parameters(self) -> dict[str, str]:
        """The grant's parameters of a token request that are no secrets."""
        return {}

    @contextmanager
    def parameters(self) -> Iterator[dict[str, str]]:
        """Yield the grant's further parameters of a token request, sent inside the context.

        All of them are secret.

        Raises:
            TokenError: the settings are not enough for them.
        """
        yield {}

    def rotate(self, token: str) -> None:
        """Keep the refresh token of an answer to a token request; within `parameters`."""


class JwtBearerGrant(Grant):
    """An assertion signed by a service account (RFC 7523 section 2.1)."""

    type = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    client_authenticates = False  # the assertion does

    @contextmanager
    def parameters(self) -> Iterator[dict[str, str]]:
        """Yield an assertion.

        Raises:
            TokenError: the key cannot sign.
        """
        yield {"assertion": _assertion(self._settings)}


class PasswordGrant(Grant):
    """A user's name and password (RFC 6749 section 4.3)."""

    type = "password"

    @property
    def shown_parameters(self) -> dict[str, str]:
        """The user's name."""
        return {"username": str(self._settings.user_name)}

    @contextmanager
    def parameters(self) -> Iterator[dict[str, str]]:
        """Yield the password."""
        yield {"password": str(self._settings.user_password)}


def _assertion(settings: OAuth2Settings) -> str:
    """Sign the claims of RFC 7523 section 3 with the service account's key."""
    import jwt  # takes 0.03 s with its cryptography, which other grants do not need

    # environment variables often carry a PEM key with its line ends written as \n
    pem = str(settings.private_key).replace("\\n", "\n").encode()
    passphrase = settings.private_key_passphrase
    now = int(time.time())
    claims = {
        "iss": settings.client_id,
        "sub": settings.client_id,
        "aud": settings.token_url,
        "iat": now,
        "exp": now + ASSERTION_LIFETIME,
    }
    if settings.scope:
        claims["scope"] = settings.scope
    try:
        # only this grant pays for importing the cryptography
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(pem, passphrase.encode() if passphrase else None)
        return jwt.encode(
            claims,
            key,  # type: ignore[arg-type]  # a key of another kind than RSA is refused below
            algorithm="RS256",
            headers={"kid": settings.private_key_id} if settings.private_key_id else None,
        )
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise TokenError(
            f"The setting `private_key` cannot sign: {type(error).__name__}. Set a PEM private "
            "key for RSA, and `private_key_passphrase` if it is encrypted."
        ) from None
