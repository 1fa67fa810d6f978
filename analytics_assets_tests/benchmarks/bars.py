"""What this project is to reach."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analytics_assets_tests.benchmarks.loaders import DAGSTER, OWN, Loader
from analytics_assets_tests.benchmarks.measurement import Figures

FiguresByLoader = Mapping[Loader, Figures]


@dataclass(frozen=True)
class Bar:
    """A limit for a figure of this project.

    Args:
        title: what the figure is.
        unit: behind the figure, as it is shown.
        limit: the limit.
        at_least: whether the figure must reach it, or else stay within it.
        needs: the loaders whose figures it takes.
        figure: takes the figure.
    """

    title: str
    unit: str
    limit: float
    at_least: bool
    needs: tuple[Loader, ...]
    figure: Callable[[FiguresByLoader], float]

    def is_met_by(self, figures: FiguresByLoader) -> bool:
        """Tell whether this project reaches it."""
        found = self.figure(figures)
        return found >= self.limit if self.at_least else found <= self.limit

    def shown(self, number: float) -> str:
        """Return a number as this bar shows it."""
        return f"{number:.3g}{self.unit}" if number < 100 else f"{number:.0f}{self.unit}"

    @property
    def shown_limit(self) -> str:
        """The limit in words."""
        return f"at {'least' if self.at_least else 'most'} {self.shown(self.limit)}"


def speed_against(other: Loader, limit: float) -> Bar:
    """Be this many times as fast as another loader."""
    return Bar(
        title=f"speed against {other.title}",
        unit=" times",
        limit=limit,
        at_least=True,
        needs=(other, OWN),
        figure=lambda figures: figures[other].seconds / figures[OWN].seconds,
    )


def peak_memory(limit: float) -> Bar:
    """Take no more megabytes than this."""
    return Bar(
        title="peak memory",
        unit=" MB",
        limit=limit,
        at_least=False,
        needs=(OWN,),
        figure=lambda figures: figures[OWN].peak_megabytes,
    )


def cost_of_dagster(limit: float) -> Bar:
    """Take no more seconds than this on top of what the load takes without Dagster."""
    return Bar(
        title="what Dagster adds",
        unit=" s",
        limit=limit,
        at_least=False,
        needs=(OWN, DAGSTER),
        figure=lambda figures: figures[DAGSTER].seconds - figures[OWN].seconds,
    )
