"""Starts of long texts and lists, for messages."""

import re
from collections.abc import Sequence

# but line breaks and tabs; PostgreSQL stores no NUL, an escape changes a terminal, and an override
# of the direction reverses what follows
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")


def excerpt(text: str, length: int) -> str:
    """Return a text, or its start with an ellipsis if it is longer.

    Args:
        text: the text, without secrets.
        length: the most characters.

    Example:
        >>> excerpt("page_views", 10), excerpt("page_views", 5)
        ('page_views', 'page…')
    """
    return text if len(text) <= length else f"{text[: length - 1]}…"


def printable(text: str) -> str:
    r"""Return a text of somebody else with a mark in place of each control character.

    Example:
        >>> printable("no \x00 order\n")
        'no \ufffd order\n'
    """
    return CONTROLS.sub("\ufffd", text)


def first_line(text: str) -> str:
    r"""Return the first line of a text that is not empty; an empty text if there is none.

    Example:
        >>> first_line("\nThe API answered 500.\nTraceback ...")
        'The API answered 500.'
    """
    lines = printable(text).splitlines()
    return next((line.strip() for line in lines if line.strip()), "")


def first_names(names: Sequence[str], most: int) -> str:
    """Return names separated by commas: the first ones, and the number of the others.

    Args:
        names: the names.
        most: the most names.

    Example:
        >>> first_names(["orders", "items", "shops"], 2)
        'orders, items and 1 more'
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
