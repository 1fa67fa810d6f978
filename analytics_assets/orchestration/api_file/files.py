"""The files of the user: an `api.py`, and those beside it."""

import sysconfig
from functools import cache
from pathlib import Path
from traceback import FrameSummary, extract_tb

from analytics_assets.config import api as config_api

NAME = "api.py"
DEFS = "defs"  # the folder of the APIs, which may be installed with the package
MODULE = "<module>"  # the frame of a module's own statements
INSTALLED = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))


@cache
def is_users(file: str) -> bool:
    """Return True for an `api.py` that describes an API, and for the files beside it.

    Packages have files of this name, too, such as `requests/api.py`.
    """
    described = Path(file).with_name(NAME)
    if not (Path(file).is_file() and described.is_file()) or described.samefile(
        config_api.__file__
    ):
        return False
    return not file.startswith(INSTALLED) or DEFS in Path(file).parts


def frames_of(error: BaseException) -> list[FrameSummary]:
    """Return the frames of an error that are in files of the user, the innermost last."""
    return [each for each in extract_tb(error.__traceback__) if is_users(each.filename)]


def shown(file: str) -> str:
    """Return the folder and the name of a file that describes an API: `shop/api.py`."""
    return "/".join(Path(file).parts[-2:])


def place(file: str, line: object) -> str:
    """Return a line of a file, for the begin of an error: `shop/api.py, line 7`."""
    return f"{shown(file)}, line {line}"
