"""Starts of long texts and lists, for messages."""

from collections.abc import Sequence


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


def first_line(text: str) -> str:
    r"""Return the first line of a text that is not empty; an empty text if there is none.

    Example:
        >>> first_line("\nThe API answered 500.\nTraceback ...")
        'The API answered 500.'
    """
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


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
