"""Targets: limits for the figures of this project."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analytics_assets_tests.project.benchmarks.loaders.loader import (
    DAGSTER,
    DAGSTER_BEFORE,
    OWN,
    OWN_BEFORE,
    STOCK,
    STOCK_DAGSTER,
    Loader,
)
from analytics_assets_tests.project.benchmarks.measurement.figures import Figures

FiguresByLoader = Mapping[Loader, Figures]


@dataclass(frozen=True)
class Limit:
    """A limit for a figure.

    Args:
        title: name of the figure.
        unit: its unit.
        limit: the limit.
        at_least: True for a lower limit, False for an upper one.
    """

    title: str
    unit: str
    limit: float
    at_least: bool

    def is_reached_by(self, found: float) -> bool:
        """Return True if a figure is within the limit."""
        return found >= self.limit if self.at_least else found <= self.limit

    def shown(self, number: float) -> str:
        """Return a number with its unit."""
        return f"{number:.3g}{self.unit}" if number < 100 else f"{number:.0f}{self.unit}"

    @property
    def shown_limit(self) -> str:
        """The limit in words."""
        return f"at {'least' if self.at_least else 'most'} {self.shown(self.limit)}"


@dataclass(frozen=True)
class Target:
    """A limit for a figure of this project's load.

    Args:
        limit: the limit.
        needs: the loaders whose figures it needs.
        figure: computes the figure.
        against: the loader whose speed it multiplies, if it is a target of speed.
    """

    limit: Limit
    needs: tuple[Loader, ...]
    figure: Callable[[FiguresByLoader], float]
    against: Loader | None = None


def cpu_against(other: Loader, limit: float) -> Target:
    """Return the target that another loader takes this many times as much CPU."""
    return Target(
        Limit(f"CPU of {other.title}, to its own", " times", limit, at_least=True),
        needs=(other, OWN),
        figure=lambda figures: figures[other].cpu_seconds / figures[OWN].cpu_seconds,
        against=other,
    )


def time_against(other: Loader, limit: float) -> Target:
    """Return the target that another loader takes this many times as long."""
    return Target(
        Limit(f"time of {other.title}, to its own", " times", limit, at_least=True),
        needs=(other, OWN),
        figure=lambda figures: figures[other].seconds / figures[OWN].seconds,
        against=other,
    )


def peak_memory(limit: float) -> Target:
    """Return the target of taking no more megabytes than this."""
    return Target(
        Limit("peak memory", " MB", limit, at_least=False),
        needs=(OWN,),
        figure=lambda figures: figures[OWN].peak_megabytes,
    )


def dagster_cpu_against_stock(limit: float) -> Target:
    """Return the target of what Dagster adds, checks included, to what it adds to stock dlt."""
    return _dagster_cpu("to what it adds to stock dlt", limit, (STOCK, STOCK_DAGSTER))


def dagster_cpu_against_baseline(limit: float) -> Target:
    """Return the target of what Dagster adds, to what it adds in the checkout of `--baseline`."""
    return _dagster_cpu("to what it added before", limit, (OWN_BEFORE, DAGSTER_BEFORE))


def _dagster_cpu(compared: str, limit: float, others: tuple[Loader, Loader]) -> Target:
    def added(figures: FiguresByLoader, without: Loader, through: Loader) -> float:
        return figures[through].cpu_seconds - figures[without].cpu_seconds

    return Target(
        Limit(f"CPU that Dagster adds, {compared}", " times", limit, at_least=False),
        needs=(OWN, DAGSTER, *others),
        figure=lambda figures: added(figures, OWN, DAGSTER) / added(figures, *others),
    )
