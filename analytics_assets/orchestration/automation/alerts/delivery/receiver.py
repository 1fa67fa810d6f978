"""Receivers of messages: URLs of Apprise, each with a name that has nothing of it but the scheme.

https://appriseit.com/services/
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.alerts import ResolvedAlerts, scheme_of
from analytics_assets.orchestration.automation.alerts.delivery.message import RECOVERED, Message
from analytics_assets.orchestration.automation.alerts.delivery.rendering import (
    Rendering,
    as_html,
    as_markdown,
    as_text,
    fitting,
)
from analytics_assets.redaction.redactor import redact

if TYPE_CHECKING:  # takes 0.2 s, which definitions do not need
    from apprise import NotifyBase

SEND_SECONDS = 15.0  # for one message to one receiver
# for its answer; what it takes after that is sent again. Apprise waits for 4 seconds
ANSWER_SECONDS = 12.0
MARGIN = 20  # characters of what Apprise puts around a title
RENDERINGS: Mapping[str, Rendering] = {"html": as_html, "markdown": as_markdown}
REASON_LENGTH = 200  # characters of the reason that a receiver did not take a message
APP = "analytics_assets"
TYPES = {"critical": "failure", "error": "failure", "warning": "warning", RECOVERED: "success"}


@dataclass(frozen=True)
class Receiver:
    """A receiver.

    Args:
        name: the scheme of its URL, and its place in the settings: "mailto #1".
        url: its URL, a secret.
        settings: the settings that name it.
    """

    name: str
    url: str
    settings: ResolvedAlerts

    @property
    def id(self) -> str:
        """A digest of the URL, by which stored messages name their receivers."""
        return blake2b(self.url.encode(), digest_size=8).hexdigest()

    def validate(self) -> None:
        """Refuse a URL that Apprise cannot use; sends nothing.

        Raises:
            SettingsError: it cannot be used; the error has its name alone.
        """
        self._service()

    def send(self, message: Message) -> str | None:
        """Send a message, in the format that the receiver takes.

        Returns:
            The reason that it was not taken; None if it was.
        """
        from apprise import Apprise

        try:
            service = self._service()
            form = service.resolve_format()
            render = RENDERINGS.get(form.value, as_text)
            length = service.body_maxlen - len(message.title) - MARGIN
            body = fitting(message, length, partial(self._render, render))
            with Apprise([service]).notify(
                body,
                title=message.title,
                notify_type=self.type_of(message),
                body_format=form,
                timeout=SEND_SECONDS,
            ) as result:
                if result:
                    return None
                lines = [entry.message for entry in result.logs()]
        except SettingsError as error:
            return str(error)
        except Exception as error:  # of a plugin: its text may have anything
            return type(error).__name__
        reason = redact(" ".join(lines[-1:])).replace(self.url, "***")
        return reason[:REASON_LENGTH] or f"no answer within {SEND_SECONDS:.0f} s"

    def type_of(self, message: Message) -> str:
        """Return the type of a message for Apprise.

        PagerDuty with `action=map` resolves its incident with a success: it has one for all that is
        open, so that a success is the end of the last problem.
        """
        if message.level == RECOVERED and not message.is_all_clear and "action=map" in self.url:
            return "info"
        return TYPES.get(message.level, "info")

    def _render(self, render: Rendering, message: Message) -> str:
        return render(message, self.settings.base_url, self.settings.quiet_hours.timezone)

    def _service(self) -> "NotifyBase":
        """Return Apprise's object for the URL.

        Raises:
            SettingsError: Apprise cannot use it.
        """
        from apprise import Apprise, AppriseAsset, NotifyBase, PersistentStoreMode

        _silence_apprise()
        asset = AppriseAsset(
            app_id=APP,
            app_desc="alerts of analytics_assets",
            app_url="",
            image_url_mask="",  # pictures of another host
            image_url_logo="",
            storage_mode=PersistentStoreMode.MEMORY,
            http_redirects=False,  # would make a POST a GET, whose page is taken for an answer
        )
        service = Apprise.instantiate(self.url, asset=asset)
        if not isinstance(service, NotifyBase):
            raise SettingsError(
                f"`alerts.urls`: Apprise cannot use the URL of {self.name}. Is its scheme one of "
                "https://appriseit.com/services/, and is it complete, with each special character "
                "of a password escaped as in '%40' for '@'?"
            )
        if service.socket_connect_timeout == NotifyBase.socket_connect_timeout:
            service.socket_connect_timeout = ANSWER_SECONDS
        if service.socket_read_timeout == NotifyBase.socket_read_timeout:
            service.socket_read_timeout = ANSWER_SECONDS
        return service


def receivers_of(settings: ResolvedAlerts, api_name: str = "") -> list[Receiver]:
    """Return the receivers of some settings, in their order.

    Args:
        settings: the settings.
        api_name: the API whose own settings they are; empty for those of the project.
    """
    of = f" of {api_name}" if api_name else ""
    unique = dict.fromkeys(settings.urls)
    return [
        Receiver(f"{scheme_of(url)} #{number}{of}", url, settings)
        for number, url in enumerate(unique, 1)
    ]


def _silence_apprise() -> None:
    """Keep Apprise's own log lines, which name hosts and addresses, from all other logs."""
    logger = logging.getLogger("apprise")
    if logger.propagate:
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
