"""The text of a value that is stored in a text column."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


def as_text(value: Any) -> str | None:
    """Return a value as JSON or ISO 8601 writes it, as a warehouse does that widens a column.

    Returns:
        The text; None for a value of another type, whose text dlt makes.

    Example:
        >>> as_text(True), as_text(5.0), as_text(Decimal("5.50"))
        ('true', '5', '5.5')
        >>> as_text(datetime(2026, 1, 1, 23, 30, tzinfo=UTC))
        '2026-01-01T23:30:00Z'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        in_utc = value.astimezone(UTC) if value.tzinfo else value
        text = in_utc.replace(tzinfo=None).isoformat()
        return f"{text.rstrip('0') if '.' in text else text}Z"
    return None
