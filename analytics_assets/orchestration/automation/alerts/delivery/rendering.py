"""Messages as plain text, Markdown and HTML.

An error may quote an API: no text of one becomes a link, a mention or markup.
"""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

from analytics_assets.orchestration.automation.alerts.delivery.message import (
    RECOVERED,
    Message,
    Section,
)

COLORS = {
    "critical": "#8b1a2b",
    "error": "#c0392b",
    "warning": "#b9770e",
    "info": "#2471a3",
    "test": "#2471a3",
    RECOVERED: "#1e8449",
}
# of Slack, Discord and Teams
MENTION = re.compile(r"@(?=\w)")
ANGLES = str.maketrans({"<": "\u2039", ">": "\u203a"})  # quotation marks that look alike
CODE = re.compile(r"`([^`]+)`")
CODE_STYLE = "font-family:monospace;background:#eee;padding:0 3px"
FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"

Rendering = Callable[[Message, str | None, tzinfo], str]


def fitting(message: Message, length: int, render: Callable[[Message], str]) -> str:
    """Return the body of a message with as many of its sections as a receiver takes.

    Args:
        message: the message.
        length: the most characters that the receiver takes.
        render: returns the body of a message.
    """
    body = render(message)
    while len(body) > length and len(message.sections) > 1:
        *kept, last = message.sections
        more = message.more + len(last.names) + last.more
        message = replace(message, sections=kept, more=more)
        body = render(message)
    if len(body) > length:
        [section] = message.sections
        left = max(0, len(section.cause) - (len(body) - length) - 1)
        short = replace(section, cause=f"{section.cause[:left]}…", names=section.names[:3])
        body = render(replace(message, sections=[short]))
    return body


def as_text(message: Message, base_url: str | None, zone: tzinfo = UTC) -> str:
    """Return the body of a message as plain text.

    Args:
        message: the message.
        base_url: the address of the Dagster UI; None for ids of runs without links.
        zone: the time zone of moments.
    """
    parts = []
    for section in message.sections:
        lines = [f"{section.level.upper()}: {section.title}: {_names(section)}"]
        lines += [line for line in (_inert(section.cause), _inert(section.remedy)) if line]
        lines += [line for line in (_span(section, zone), _run(section, base_url)) if line]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, *_rest(message)])


def as_markdown(message: Message, base_url: str | None, zone: tzinfo = UTC) -> str:
    """Return the body of a message in Markdown; for the arguments see `as_text`."""
    parts = []
    for section in message.sections:
        lines = [f"**{section.level.upper()}: {_plain(section.title)}**: {_names(section, '`')}"]
        if section.cause:
            lines.append(f"> {_escaped(_inert(section.cause))}")
        lines += [_escaped(_inert(section.remedy))] if section.remedy else []
        links = f"[run {section.run_id[:8]}]({run_url(base_url, section)})" if base_url else ""
        run = links if section.run_id and base_url else _run(section, None)
        lines += [", ".join(part for part in (_span(section, zone), run) if part)]
        parts.append("\n\n".join(line for line in lines if line))
    return "\n\n".join([*parts, *_rest(message)])


def as_html(message: Message, base_url: str | None, zone: tzinfo = UTC) -> str:
    """Return the body of a message in HTML; for the arguments see `as_text`."""
    blocks = "".join(_block(section, base_url, zone) for section in message.sections)
    rest = "".join(f'<p style="color:#555">{html.escape(line)}</p>' for line in _rest(message))
    return (
        f'<div style="{FONT};font-size:14px;line-height:1.5;color:#222;max-width:680px">'
        f"{blocks}{rest}</div>"
    )


def _block(section: Section, base_url: str | None, zone: tzinfo) -> str:
    color = COLORS[section.level]
    lines = [
        f'<p style="margin:0 0 6px 0"><b style="color:{color}">{section.level.upper()}</b> '
        f"&nbsp;{_codes(section.title)}</p>",
        f'<p style="margin:0 0 8px 0;font-size:16px"><b>{html.escape(_names(section))}</b></p>',
    ]
    if section.cause:
        lines.append(f'<p style="margin:0 0 8px 0">{_codes(section.cause)}</p>')
    if section.remedy:
        lines.append(f'<p style="margin:0 0 8px 0;color:#555">{_codes(section.remedy)}</p>')
    links = [html.escape(_span(section, zone))] if _span(section, zone) else []
    if section.run_id:
        label, url = f"run {section.run_id}", html.escape(run_url(base_url, section))
        links.append(f'<a href="{url}">{label}</a>' if base_url else label)
    if links:
        text = " &middot; ".join(links)
        lines.append(f'<p style="margin:0;color:#777;font-size:13px">{text}</p>')
    return (
        f'<div style="border-left:4px solid {color};padding:10px 14px;margin:0 0 14px 0;'
        f'background:#fafafa">{"".join(lines)}</div>'
    )


def run_url(base_url: str | None, section: Section) -> str:
    """Return the address of a section's run in the Dagster UI."""
    return f"{base_url}/runs/{section.run_id}"


def _names(section: Section, quote: str = "") -> str:
    names = ", ".join(f"{quote}{name}{quote}" for name in section.names)
    return f"{names} and {section.more} more" if section.more else names


def _span(section: Section, zone: tzinfo) -> str:
    if not section.since:
        return ""
    begin = _moment(section.since, zone)
    if section.until is None:
        return f"since {begin}"
    lasted = _duration(section.until - section.since)
    return f"over since {_moment(section.until, zone)}, after {lasted}"


def _moment(seconds: float, zone: tzinfo) -> str:
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname()}"


def _duration(seconds: float) -> str:
    """Return a duration in words.

    Example:
        >>> _duration(40), _duration(3 * 3600 + 60), _duration(3 * 86400)
        ('less than a minute', '3 h 1 min', '3 d')
    """
    span = timedelta(seconds=max(seconds, 0))
    hours, minutes = divmod(span.seconds // 60, 60)
    parts = [(span.days, "d"), (hours, "h"), (minutes, "min")]
    named = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(named[:2]) or "less than a minute"


def _run(section: Section, base_url: str | None) -> str:
    if not section.run_id:
        return ""
    return f"Run: {run_url(base_url, section)}" if base_url else f"run {section.run_id}"


def _rest(message: Message) -> list[str]:
    if not message.more:
        return []
    return [f"And {message.more} more: `analytics-assets alert` lists all that are open."]


def _inert(text: str) -> str:
    """Return a text in which nothing mentions anybody and nothing is a tag."""
    return MENTION.sub("@\u200b", text.translate(ANGLES))


def _plain(text: str) -> str:
    return text.replace("*", "")


def _escaped(text: str) -> str:
    """Return a text that makes neither links nor emphasis in Markdown; names in backticks stay."""
    text = text.replace("](", "] (")
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(
        part if part.startswith("`") else part.replace("*", "\u2217").replace("__", "_ _")
        for part in parts
    )


def _codes(text: str) -> str:
    return CODE.sub(rf'<span style="{CODE_STYLE}">\1</span>', html.escape(text))
