"""The project whose assets are alerted, and the severity of alerts about them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.automation.alerts.incident import (
    CHECKS,
    Kind,
    Problem,
    Severity,
    run_key,
)

DEFAULT_LEVEL = "error"  # of assets without a policy


@dataclass(frozen=True)
class AlertedProject:
    """The parts of a project that are alerted.

    Args:
        apis: the APIs by name.
        others: the names of further assets; None if all others belong to the project.
        jobs: the names of the jobs; None if all belong to it.
        checks: the checks, each after its asset; None if all belong to it.
    """

    apis: Mapping[str, Api]
    others: Collection[str] | None = None
    jobs: Collection[str] | None = None
    checks: Collection[tuple[str, str]] | None = None

    @classmethod
    def of(
        cls, apis: Mapping[str, Api], repository: dg.RepositoryDefinition | None
    ) -> "AlertedProject":
        """Return the project of a code location; other locations have alerts of their own.

        Args:
            apis: the APIs by name.
            repository: the definitions of the location; None for all of the instance.
        """
        if repository is None:
            return cls(apis)
        keys = repository.asset_graph.get_all_asset_keys()
        names = frozenset(key.to_user_string() for key in keys)
        checks = frozenset(
            (key.asset_key.to_user_string(), key.name)
            for key in repository.asset_graph.asset_check_keys
        )
        return cls(apis, names, frozenset(repository.job_names), checks)

    @property
    def resources(self) -> Sequence[ResourceConfig]:
        """The resources of all APIs."""
        return [each for api in self.apis.values() for each in api.resources.values()]

    @cached_property
    def _levels(self) -> Mapping[str, str]:
        """The policy `alert` of each resource, by `api/resource`."""
        return {resource.full_name: resource.policy.alert for resource in self.resources}

    def severity(self, asset: str, is_warning: bool = False) -> Severity | None:
        """Return the severity of a finding about an asset; None if none is sent."""
        if asset in self._levels:
            return Severity.of(self._levels[asset], is_warning)
        if self.others is None or asset in self.others:
            return Severity.of(DEFAULT_LEVEL, is_warning)
        return None

    def has(self, problem: Problem) -> bool:
        """Return True if what has a problem is still there, and alerted."""
        if problem.kind == Kind.RUN:
            is_job = problem.key == run_key(problem.asset)
            return not is_job or self.has_job(problem.asset)
        named = self.checks is None or problem.check in ("", CHECKS)
        is_there = named or (problem.asset, problem.check) in (self.checks or ())
        return is_there and self.severity(problem.asset) is not None

    def has_job(self, job: str) -> bool:
        """Return True if a job belongs to the project."""
        return self.jobs is None or job in self.jobs
