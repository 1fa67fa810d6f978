"""Each way in which a text may have a secret, and texts that must stay as they are."""

import html
import json
import re
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import quote, quote_plus

import pytest
from requests.utils import requote_uri

from analytics_assets.redaction.names import is_secret
from analytics_assets.redaction.redactor import NEWEST, IssuedSecrets, Redactor

SECRETS = ("sk_live_51Hx/9Zq+w=", "pä55 w&rd<\"'>\\", "pass1234", "a" * 30 + "1", "Tr0ub4dor&3")
ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "in a URL": lambda text: quote(text, safe=""),
    "in a URL, in lower case": lambda text: re.sub(
        "%..", lambda found: found[0].lower(), quote(text, safe="")
    ),
    "in a form": quote_plus,
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON within JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "in JSON without escapes": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "in JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "in a path": lambda text: requote_uri(text.replace("#", "%23")),
    "in Python": lambda text: repr(text)[1:-1],
    "in HTML": html.escape,
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_secret_is_removed_in_each_spelling(secret: str, encoding: str) -> None:
    spelled = ENCODINGS[encoding](secret)
    assert Redactor([secret])(f"you sent <{spelled}>.") == "you sent <***>."


def test_a_secret_is_removed_where_it_is_the_name_of_a_host() -> None:
    assert Redactor(["Ab9xKq7ZtW3mPl"])("http://ab9xkq7ztw3mpl.test") == "http://***.test"


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("before", ["", "m", "me", "me:", "user:"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_secret_is_removed_in_base64_whatever_stands_before_it(
    secret: str, before: str, encode: Callable[[bytes], bytes]
) -> None:
    encoded = encode(f"{before}{secret}:after".encode()).decode()
    redacted = Redactor([secret])(f"Basic {encoded}")
    longest = max(redacted.removeprefix("Basic ").split("***"), key=len)
    assert "***" in redacted
    assert len(longest) < len(encoded) / 2 + 6


@pytest.mark.parametrize("secret", ["sk_live_51HxQ9Zq8w2", "ya29.a0AfH6SMBx9Q", "hunter2-token"])
@pytest.mark.parametrize("encode", [str, lambda text: b64encode(text.encode()).decode()])
def test_a_secret_that_is_cut_is_removed(secret: str, encode: Callable[[str], str]) -> None:
    redact, whole = Redactor([secret]), encode(secret)
    stable = whole[: len(whole) // 4 * 4 - 4] if encode is not str else whole
    for length in range(len(stable) * 2 // 3, len(stable)):
        assert redact(f"key {stable[:length]}… is bad") == "key ***… is bad"
    if encode is str:
        assert redact(f"key …{whole[-9:]} is bad") == "key …*** is bad"


def test_each_line_of_a_key_is_removed() -> None:
    lines = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7", "VJTUt9Us8cKjMzEfYyjiWA4R4"]
    pem = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"])
    for spelled in (pem, pem.replace("\n", "\\n")):
        redact = Redactor([spelled])
        assert [redact(line) for line in lines] == ["***", "***"]
        assert redact("Set a PRIVATE KEY") == "Set a PRIVATE KEY"


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("secret", "check `client_secret`"),  # a word, as people choose for tests
        ("post", "postgres://host"),
        ("2025", "2025-01-01 is 20250101"),
        ("correct-horse-battery", "correct-horse stays"),  # what is cut off may be anything
        ("abc", "abc"),
        ("", "nothing"),
        ("Password1", "Password"),
    ],
)
def test_texts_that_have_no_secret_stay(secret: str, text: str) -> None:
    shown = Redactor([secret])(text)
    assert shown == (text if secret != "2025" else "***-01-01 is 20250101")


def test_a_secret_that_is_a_word_is_removed_where_it_stands_alone() -> None:
    assert Redactor(["swordfish"])("you sent swordfish, swordfishes") == "you sent ***, swordfishes"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("postgresql://me:pw@host:5432/db", "postgresql://***@host:5432/db"),
        ("http://me:p@ss@[::1]/x", "http://***@[::1]/x"),
        ("'https://key@api.example.com'", "'https://***@api.example.com'"),
        ("http://example.com/a@b", "http://example.com/a@b"),
        (
            "mail me@example.com about http://example.com",
            "mail me@example.com about http://example.com",
        ),
    ],
)
def test_user_and_password_of_any_url_are_removed(text: str, redacted: str) -> None:
    assert Redactor()(text) == redacted


@pytest.mark.parametrize(
    ("url", "hidden", "stays"),
    [
        ("postgresql://loader:hunter2x@db/warehouse", "hunter2x", "loader"),
        ("postgresql://postgres:postgres@db/postgres", "", "postgres"),
        ("postgresql://loader@db/warehouse", "", "loader"),
        ("https://sk_live_51Hx9@api.example.com", "sk_live_51Hx9", "example"),
        ("https://me@api.example.com", "", "me"),
        ("https://a.example.com/x?apikey=s3cr3t&day=2025", "s3cr3t", "2025"),
        ("https://me:p%2Fw0rd@example.com", "p/w0rd", "example"),
        ("http://[bad", "", "bad"),
    ],
)
def test_the_secrets_of_a_known_url_are_removed_elsewhere(
    url: str, hidden: str, stays: str
) -> None:
    redact = Redactor()
    redact.add_url(url)
    assert redact(f"{hidden} and {stays}") == f"{'***' if hidden else ''} and {stays}"


def test_only_the_newest_issued_tokens_are_known() -> None:
    redact = Redactor(["configured-9"])
    issued = IssuedSecrets(redact)
    tokens = [sha256(bytes([number])).hexdigest() for number in range(3 * NEWEST)]
    for token in [*tokens, "configured-9", *tokens]:
        issued.add(token)
        assert redact(token) == "***"
    assert redact("configured-9") == "***"
    assert [redact(token) for token in tokens[-NEWEST:]] == ["***"] * NEWEST
    assert redact(tokens[0]) == tokens[0]


def test_a_long_secret_and_a_long_text_take_no_time() -> None:
    redact = Redactor(["x" * 100_000, "Ab1" * 30_000])
    started = time.process_time()
    assert redact("Ab1" * 300_000 + "@" * 1000).startswith("***")
    redact("x" * 1_000_000)
    redact("Ab1Ab1Ab@" * 100_000)  # many starts
    redact("http://" + "a" * 1_000_000)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("password", "hunter", True),
        ("X-API-Key", "hunter2", True),
        ("accessToken", "abcdef-1", True),
        ("PGPASSWORD", "hunter2", True),
        ("key", "a1b2c3", True),
        ("sort_key", "createdAt", False),
        ("primary_key", "orderId", False),
        ("include_tokens", "true", False),
        ("page_token", "abc123def", False),
        ("token_url", "https://a.example.com/1", False),
        ("token_type", "Bearer9", False),
        ("client_authentication", "basic-9", False),
        ("credentials", "/data/ware9house.duckdb", False),
        ("private_key_id", "abc123", False),
    ],
)
def test_a_name_decides_if_a_value_is_a_secret(name: str, value: str, expected: bool) -> None:
    assert is_secret(name, value) is expected
