"""The spellings of a secret: in a URL, in a form, in JSON, in HTML, and in Base64."""

import html
import json
import re
from base64 import b64encode
from urllib.parse import quote, quote_plus

MIN_LENGTH = 4  # of a secret: removing a shorter one would make texts unreadable
CUT_LENGTH = 8  # characters of a secret's start or end by which it is found although it is cut
MIN_CUT, MAX_CUT = 5, 32
LINE_END = re.compile(r"\r?\n|\\n")  # environment variables often have the second one
PEM_LABEL = "-----"
LETTER, DIGIT = re.compile("[A-Za-z]"), re.compile("[0-9]")
BOTH_CASES = re.compile("[a-z][A-Z]|[A-Z]{2}[a-z]")
ESCAPE = re.compile("%[0-9A-F]{2}")


def spellings_of(secret: str) -> set[str]:
    """Return the ways in which a text may have a secret.

    Args:
        secret: the secret; of one with several lines, such as a PEM key, each line is one, too.

    Example:
        >>> sorted(each for each in spellings_of("pass+word") if "pass" in each)
        ['pass%2Bword', 'pass%2bword', 'pass+word']
    """
    lines = [line for line in LINE_END.split(secret) if not line.startswith(PEM_LABEL)]
    parts = {secret, *(line for line in lines if len(line) > 2 * CUT_LENGTH)}
    return {spelling for part in parts for spelling in _spellings_of_part(part)}


def _spellings_of_part(secret: str) -> set[str]:
    if len(secret) < MIN_LENGTH:
        return set()
    encoded = {quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")}
    folded = secret.lower()  # as the name of a host shows it
    return {
        secret,
        *({folded} if is_made_by_machine(folded) else ()),
        json.dumps(secret)[1:-1].replace("/", "\\/"),  # of PHP
        quote(secret, safe="!#$%&'()*+,/:;=?@[]~", errors="replace"),  # of requests, in a path
        *encoded,
        *(ESCAPE.sub(lambda found: found[0].lower(), each) for each in encoded),
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret)[1:-1])[1:-1],  # of a body that an error quotes in JSON
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        html.escape(secret),
        *_in_base64(secret.encode(errors="replace")),
    }


def _in_base64(secret: bytes) -> set[str]:
    """Return the characters of Base64 that are the same whatever stands around the secret."""
    found = set()
    for before in range(3):
        encoded = b64encode(bytes(before) + secret).decode().rstrip("=")
        whole = (before + len(secret)) // 3 * 4
        stable = encoded[(0, 2, 3)[before] : whole]
        if len(stable) >= MIN_CUT:
            found |= {stable, stable.replace("+", "-").replace("/", "_")}
    return found


def is_made_by_machine(text: str) -> bool:
    """Return True if a text has a digit beside letters, or both cases within a word."""
    is_mixed = LETTER.search(text) and DIGIT.search(text)
    return bool(is_mixed or BOTH_CASES.search(text))


def shortest_cut(spelling: str, *, is_end: bool = False) -> str | None:
    """Return the start by which a secret is found that is cut behind it, or its end; None for none.

    A part that looks like a word is none, as other texts may have it.
    """
    shortest = max(MIN_CUT, min(CUT_LENGTH, len(spelling) // 2))
    for length in range(shortest, min(len(spelling), MAX_CUT)):
        part = spelling[-length:] if is_end else spelling[:length]
        if is_made_by_machine(part):
            return part
    return None
