"""Targets: limits for the figures of this project."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analytics_assets_tests.benchmarks.loaders.loader import DAGSTER, OWN, Loader
from analytics_assets_tests.benchmarks.measurement.figures import Figures

FiguresByLoader = Mapping[Loader, Figures]


@dataclass(frozen=True)
class Target:
    """A limit for a figure of this project.

    Args:
        title: name of the figure.
        unit: its unit.
        limit: the limit.
        at_least: True for a lower limit, False for an upper one.
        needs: the loaders whose figures it needs.
        figure: computes the figure.
    """

    title: str
    unit: str
    limit: float
    at_least: bool
    needs: tuple[Loader, ...]
    figure: Callable[[FiguresByLoader], float]

    def is_reached_by(self, figures: FiguresByLoader) -> bool:
        """Return True if this project reaches it."""
        found = self.figure(figures)
        return found >= self.limit if self.at_least else found <= self.limit

    def shown(self, number: float) -> str:
        """Return a number with its unit."""
        return f"{number:.3g}{self.unit}" if number < 100 else f"{number:.0f}{self.unit}"

    @property
    def shown_limit(self) -> str:
        """The limit in words."""
        return f"at {'least' if self.at_least else 'most'} {self.shown(self.limit)}"


def speed_against(other: Loader, limit: float) -> Target:
    """Return the target of being this many times as fast as another loader."""
    return Target(
        title=f"speed against {other.title}",
        unit=" times",
        limit=limit,
        at_least=True,
        needs=(other, OWN),
        figure=lambda figures: figures[other].seconds / figures[OWN].seconds,
    )


def peak_memory(limit: float) -> Target:
    """Return the target of taking no more megabytes than this."""
    return Target(
        title="peak memory",
        unit=" MB",
        limit=limit,
        at_least=False,
        needs=(OWN,),
        figure=lambda figures: figures[OWN].peak_megabytes,
    )


def cost_of_dagster(limit: float) -> Target:
    """Return the target of taking no more seconds than this beyond a load without Dagster."""
    return Target(
        title="what Dagster adds",
        unit=" s",
        limit=limit,
        at_least=False,
        needs=(OWN, DAGSTER),
        figure=lambda figures: figures[DAGSTER].seconds - figures[OWN].seconds,
    )
