"""An auth object whose token can be renewed while a read uses it."""

from typing import Protocol

import requests


class Signer(Protocol):
    """An auth object whose token can be renewed."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put a valid token on the request."""

    def signed(self, request: requests.PreparedRequest) -> bool:
        """True if the request carries a token of this auth."""

    def renew(self, request: requests.PreparedRequest) -> None:
        """Get a new token, unless the one on the request has been replaced already."""
