"""A finding of a check, and its remedy."""

from typing import NamedTuple


class Finding(NamedTuple):
    """A part of `api.py` that is wrong or may be, and the remedy.

    Args:
        text: a part of a sentence.
        is_wrong: False if it may be right.
    """

    text: str
    is_wrong: bool = True
