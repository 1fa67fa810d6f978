"""A measure: figures of a project at growing sizes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from analytics_assets_tests.project.benchmarks.scale.project import Project


@dataclass(frozen=True)
class Measure:
    """Figures of a project at growing sizes.

    Args:
        name: the name by which it is chosen.
        title: one line of what is measured.
        counted: the noun of a size.
        sizes: the sizes, from small to large.
        take: takes the figures at a size, by their names with units.
        further: the words for the growth of a figure.
        step: the growth of the size that it belongs to.
    """

    name: str
    title: str
    counted: str
    sizes: Sequence[int]
    take: Callable[[Project, int], Mapping[str, float]]
    further: str
    step: int = 1
