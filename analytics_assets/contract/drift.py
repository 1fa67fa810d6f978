"""Differences between the contract of the stored document and that of the live one."""

from collections.abc import Iterator

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract


def drift(stored: Contract, live: Contract) -> list[str]:
    """Compare two contracts of one resource.

    Args:
        stored: the contract of the stored document.
        live: the contract of the API's document now.

    Returns:
        A line per difference, fields by their names in the API; empty if there is none.
    """
    if live.problem:
        return [] if stored.problem else [f"has no contract. {live.problem}"]
    before = {column.field: column for column in stored.columns}
    now = {column.field: column for column in live.columns}
    lines = [f"added `{name}` ({now[name].data_type})" for name in now if name not in before]
    lines += [f"removed `{name}` ({before[name].data_type})" for name in before if name not in now]
    for name in before:
        if name in now:
            lines += _changes(before[name], now[name])
    return lines


def _changes(before: Column, now: Column) -> Iterator[str]:
    name = f"`{now.field}`"
    if before.data_type != now.data_type:
        yield f"{name} was {before.data_type} and is {now.data_type}"
    if before.may_be_null != now.may_be_null:
        yield f"{name} may be null now" if now.may_be_null else f"{name} may no longer be null"
    earlier, later = dict.fromkeys(before.choices), dict.fromkeys(now.choices)
    for choice in later if earlier else ():
        if choice not in earlier:
            yield f"{name} may be `{choice}` now"
    for choice in earlier if later else ():
        if choice not in later:
            yield f"{name} may no longer be `{choice}`"
    if bool(before.choices) != bool(now.choices):
        yield f"{name} has {'a list' if now.choices else 'no list'} of values now"
