"""The grants by which a client obtains a token; another one is a class here, named in `GRANTS`."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analytics_assets.config.oauth2_settings import OAuth2Settings
from analytics_assets.extract.http.errors import TokenError
from analytics_assets.extract.http.oauth2.refresh_token import RefreshToken

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

    @classmethod
    def fits(cls, settings: OAuth2Settings) -> bool:
        """True if the settings ask for this grant."""
        return True

    @contextmanager
    def parameters(self) -> Iterator[dict[str, str]]:
        """Yield the grant's parameters of a token request, which is sent inside the context.

        All of them are secret.

        Raises:
            TokenError: the settings are not enough for them.
        """
        yield {}

    def rotate(self, answer: Mapping[str, Any]) -> str | None:
        """Keep the parameter that the token endpoint has replaced.

        Args:
            answer: the response to the token request, within `parameters`.

        Returns:
            The new value, which is secret; None if there is none.
        """
        return None


class RefreshTokenGrant(Grant):
    """A refresh token that was granted once (RFC 6749 section 6), or its replacement."""

    type = "refresh_token"

    def __init__(self, settings: OAuth2Settings) -> None:
        super().__init__(settings)
        self._token = RefreshToken(str(settings.refresh_token), Path(settings.refresh_token_dir))

    @classmethod
    def fits(cls, settings: OAuth2Settings) -> bool:
        """True if there is a refresh token."""
        return bool(settings.refresh_token)

    @contextmanager
    def parameters(self) -> Iterator[dict[str, str]]:
        """Yield the refresh token; no other process uses it inside the context."""
        with self._token.in_use() as token:
            yield {"refresh_token": token}

    def rotate(self, answer: Mapping[str, Any]) -> str | None:
        """Keep the refresh token that replaces the one just used."""
        token = answer.get("refresh_token")
        if not isinstance(token, str) or not token:
            return None
        self._token.replace(token)
        return token


class JwtBearerGrant(Grant):
    """An assertion signed by a service account (RFC 7523 section 2.1)."""

    type = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    client_authenticates = False  # the assertion does

    @classmethod
    def fits(cls, settings: OAuth2Settings) -> bool:
        """True if there is a private key."""
        return bool(settings.private_key)

    @contextmanager
    def parameters(self) -> Iterator[dict[str, str]]:
        """Yield an assertion.

        Raises:
            TokenError: the key cannot sign.
        """
        yield {"assertion": _assertion(self._settings)}


GRANTS: tuple[type[Grant], ...] = (JwtBearerGrant, RefreshTokenGrant, Grant)


def grant_of(settings: OAuth2Settings) -> Grant:
    """Return the first grant that fits the settings."""
    return next(grant(settings) for grant in GRANTS if grant.fits(settings))


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
