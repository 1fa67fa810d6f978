"""The names of secrets in a configuration: keys, headers, parameters and variables."""

import re

# parts of a name: of `X-API-Key`, `apikey`, `accessToken`, `PGPASSWORD`
SECRET = re.compile(
    r"password|passwd|passphrase|secret|token|api_?key|access_?key|private_?key|credential|"
    r"authori[sz]ation|cookie|signature|assertion"
)
# words that may also be the name of something else
MAYBE_SECRET = re.compile(r"(?:^|_)(?:key|pwd|pass|auth|sig|session|jwt|bearer|code|pin)(?:_|$)")
# last words of what only belongs to a secret, and names of places in a list of pages
OTHER = re.compile(
    r"(?:^|_)(?:url|uri|dir|file|path|type|field|name|param|id|location|lifetime|expires?|"
    r"credentials)$|"
    r"(?:page|next|sync|cursor|continuation)_?token|client_authentication"
)
SEPARATOR = re.compile(r"[^a-z0-9]+")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
IDENTIFIER = re.compile(r"[A-Za-z_. -]+|\d+")
MIN_WORD = 6  # letters of a word that may be a secret; "true" and "all" are none
WORD = re.compile(r"[a-z_-]+|[A-Z][a-z]+|[A-Z_-]+|\d+")


def setting_name(key: str) -> str:
    """Return the name of a setting for a key of a configuration, as variables and TOML take it.

    Example:
        >>> setting_name("X-API-Key")
        'x_api_key'
    """
    return SEPARATOR.sub("_", HUMP.sub("_", key).lower()).strip("_")


def is_secret(name: str, value: str) -> bool:
    """Return True if a value is a secret by its name.

    Example:
        >>> is_secret("X-API-Key", "hunter2"), is_secret("sort_key", "day")
        (True, False)
    """
    plain = setting_name(name)
    if OTHER.search(plain) or (is_word(value) and len(value) < MIN_WORD):
        return False
    is_maybe = MAYBE_SECRET.search(plain) and not IDENTIFIER.fullmatch(value)
    return bool(SECRET.search(plain) or is_maybe)


def is_word(value: str) -> bool:
    """Return True if a value looks like a word or a number, which other texts may have, too."""
    return WORD.fullmatch(value) is not None
