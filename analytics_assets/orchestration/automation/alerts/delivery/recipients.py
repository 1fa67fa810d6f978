"""The receivers of each API's alerts, by the settings."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from analytics_assets.config.api import Api
from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.alerts import ResolvedAlerts, resolve_alerts
from analytics_assets.orchestration.automation.alerts.delivery.receiver import (
    Receiver,
    receivers_of,
)
from analytics_assets.orchestration.automation.alerts.incident import Problem

PROJECT = ""  # in place of an API, for assets of none


@dataclass(frozen=True)
class Recipients:
    """The receivers of each API's alerts.

    Args:
        settings: the settings by API; those of the project by an empty name.
        usable: the receivers whose URLs Apprise can use, likewise.
        problems: a sentence for each URL that it cannot.
    """

    settings: Mapping[str, ResolvedAlerts]
    usable: Mapping[str, Sequence[Receiver]]
    problems: Sequence[str]

    @classmethod
    def of(cls, apis: Mapping[str, Api]) -> "Recipients":
        """Look up the receivers of some APIs.

        Raises:
            SettingsError: a setting other than a URL cannot be used.
        """
        settings = {PROJECT: resolve_alerts(), **{name: resolve_alerts(name) for name in apis}}
        usable, problems = dict[str, Sequence[Receiver]](), list[str]()
        known: dict[tuple[str, ...], Sequence[Receiver]] = {}
        for name, each in settings.items():
            if each.urls not in known:
                found = list[Receiver]()
                for receiver in receivers_of(each, name):
                    try:
                        receiver.validate()
                        found.append(receiver)
                    except SettingsError as error:
                        problems.append(str(error))
                known[each.urls] = found
            usable[name] = known[each.urls]
        return cls(settings, usable, problems)

    @property
    def urls(self) -> bool:
        """True if any API has a receiver in its settings."""
        return any(each.urls for each in self.settings.values())

    @property
    def all(self) -> list[Receiver]:
        """All receivers once, whatever the number of APIs that they are for."""
        unique = {receiver.id: receiver for each in self.usable.values() for receiver in each}
        return list(unique.values())

    def api_of(self, asset: str) -> str:
        """Return the API of an asset, empty for an asset of none."""
        name = asset.partition("/")[0]
        return name if name in self.settings else PROJECT

    def settings_of(self, asset: str) -> ResolvedAlerts:
        """Return the settings of alerts about an asset."""
        return self.settings[self.api_of(asset)]

    def share(self, ids: Collection[str], problems: Iterable[Problem]) -> bool:
        """Return True if some receivers get alerts about one of some problems.

        Args:
            ids: the ids of the receivers.
            problems: the problems.
        """
        apis = {self.api_of(problem.asset) for problem in problems}
        return any(receiver.id in ids for api in apis for receiver in self.usable[api])

    def receivers_of(self, api_name: str) -> Sequence[Receiver]:
        """Return the receivers of an API."""
        return self.usable[api_name]
