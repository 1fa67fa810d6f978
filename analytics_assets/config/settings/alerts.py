"""Settings of alerts: receivers, the address of the Dagster UI, and quiet hours."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.exceptions import ConfigValueCannotBeCoercedException
from dlt.common.configuration.specs import BaseConfiguration

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.quiet_hours import EXAMPLE, QuietHours
from analytics_assets.redaction.names import is_secret, is_word
from analytics_assets.redaction.redactor import redact
from analytics_assets.redaction.spellings import is_made_by_machine
from analytics_assets.redaction.url import without_credentials

NEXT_URL = re.compile(r"[\s,;]+(?=[A-Za-z][\w+.-]*://)")
HOST = re.compile(r"[\w-]+(\.[\w-]+)+(:\d+)?")
MIN_PART, LONG_PART = 6, 20  # characters of a part of a URL that may be, and that is, a token
LONG_HOST = 64  # characters; a token may have dots, too


@configspec
class AlertSettings(BaseConfiguration):
    """Settings of alerts, as they are written.

    Args:
        urls: the receivers: one URL of Apprise, or a list of them.
        base_url: the address of the Dagster UI.
        quiet_hours: spans such as "22:00-07:00, sat, sun".
        timezone: IANA time zone of `quiet_hours`, and of the times in messages.
    """

    urls: str | list[str] | None = None
    base_url: str | None = None
    quiet_hours: str | None = None
    timezone: str = "UTC"

    __section__: ClassVar[str] = "alerts"


@dataclass(frozen=True)
class ResolvedAlerts:
    """Settings of the alerts about an API, or about the whole project.

    Args:
        urls: the receivers as URLs of Apprise; each is a secret.
        base_url: the address of the Dagster UI, for links; None for messages without links.
        quiet_hours: the times in which only critical alerts are sent.
    """

    urls: tuple[str, ...] = ()
    base_url: str | None = None
    quiet_hours: QuietHours = field(default_factory=QuietHours)


def resolve_alerts(api_name: str = "") -> ResolvedAlerts:
    """Look up the settings of alerts; the URLs are in no text from then on.

    Args:
        api_name: the API whose own settings go first; empty for those of the project.

    Raises:
        SettingsError: a setting cannot be used; no URL of a receiver is shown.
    """
    sections = ("sources", api_name) if api_name else ()
    try:
        found = resolve_configuration(AlertSettings(), sections=sections)
    except ConfigValueCannotBeCoercedException as error:
        raise SettingsError(
            f"The setting `alerts.{error.field_name}` cannot be used: it must be a text."
        ) from None
    urls = tuple(_urls(found.urls))
    for url in urls:
        learn_receiver(url)
    if found.base_url and not found.base_url.startswith(("http://", "https://")):
        raise SettingsError(
            f"The setting `alerts.base_url` is {without_credentials(found.base_url)!r}; give the "
            "address of the Dagster UI, such as 'https://dagster.example.com'."
        )
    try:
        quiet_hours = QuietHours.parse(found.quiet_hours or "", found.timezone)
    except ValueError as error:
        raise SettingsError(
            f"The setting `alerts.quiet_hours` with `alerts.timezone` cannot be used: {error}. "
            f"Give spans such as {EXAMPLE}, and a time zone such as 'Europe/Berlin'."
        ) from error
    base_url = found.base_url.rstrip("/") if found.base_url else None
    return ResolvedAlerts(urls, base_url, quiet_hours)


def _urls(given: Any) -> list[str]:
    """Return the URLs of a list, or of a text with one, several or a list in JSON."""
    if isinstance(given, str) and given.lstrip().startswith("["):
        with suppress(ValueError):
            given = json.loads(given)
    if given is None:
        return []
    if isinstance(given, str):
        return [url.strip(" ,;") for url in NEXT_URL.split(given.strip()) if url.strip(" ,;")]
    if isinstance(given, list | tuple) and all(isinstance(url, str) for url in given):
        return [url.strip() for url in given if url.strip()]
    raise SettingsError(
        f"The setting `alerts.urls` is a {type(given).__name__}; give a URL, or a list of them."
    )


def scheme_of(url: str) -> str:
    """Return the scheme of a URL, the one part of it that may be shown.

    Example:
        >>> scheme_of("mailto://me:hunter2@example.com")
        'mailto'
    """
    scheme, found, _ = url.partition("://")
    return scheme.lower() if found and re.fullmatch(r"[A-Za-z][\w+.-]*", scheme) else "unknown"


def learn_receiver(url: str) -> None:
    """Remove the URL of a receiver, and each part of it that may be a secret, from all texts.

    Names of hosts and plain words stay, as other texts have them, too.

    Args:
        url: the URL, as Apprise takes it.
    """
    redact.add(url)
    _, _, rest = url.partition("://")
    redact.add(rest.strip("/"))
    redact.add_url(url)
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query)
    except ValueError:  # a bad IPv6 address
        return
    info, _, host = parts.netloc.rpartition("@")
    user, _, password = info.partition(":")
    found = {password} if password else set()
    found |= {part for part in (user, host, *re.split(r"[/:]", parts.path)) if _is_part(part)}
    found |= {value for name, value in query if is_secret(name, value) or _is_part(value)}
    for value in {*found, *map(unquote, found)}:
        redact.add(value)


def _is_part(value: str) -> bool:
    """Return True if a part of a URL looks like a token: no word, host, or address."""
    is_place = "@" in value or (HOST.fullmatch(value) and len(value) < LONG_HOST)
    is_token = is_made_by_machine(value) or len(value) >= LONG_PART
    return len(value) >= MIN_PART and is_token and not is_place and not is_word(value)
