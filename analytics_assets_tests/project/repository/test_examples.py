"""The examples in docstrings: what they show is what one gets."""

import doctest
import pkgutil
from importlib import import_module

import analytics_assets


def test_each_example_gives_what_it_says() -> None:
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    for found in pkgutil.walk_packages(analytics_assets.__path__, "analytics_assets."):
        for example in doctest.DocTestFinder().find(import_module(found.name)):
            runner.run(example, out=said.append)
    assert runner.tries
    assert not said, "".join(said)
