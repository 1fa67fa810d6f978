"""The policy of a resource: its load, its schedule, its freshness and its owners."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError
from zoneinfo import available_timezones as known_timezones

from typing_extensions import TypedDict  # which pydantic requires before Python 3.12

from analytics_assets.config.entry.place import Place, PlaceError
from analytics_assets.config.errors import ConfigurationError, did_you_mean, refuse_unknown_keys
from analytics_assets.config.load import Full, Incremental, Load, Partitioned
from analytics_assets.config.times.timestamps import EXAMPLES, is_time_format

MOST_PREVIEWED = 50  # rows, which the history keeps with each load

if TYPE_CHECKING:  # an API without policies does without
    from pydantic import TypeAdapter

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")  # of a schedule


REMEDIES = {  # by pydantic's names of what is wrong
    "bool_type": "give True or False",
    "dict_type": "give a dictionary",
    "float_type": "give a number, without quotes",
    "list_type": "give a list",
    "sequence_str": 'give a list, such as ["team:analytics"]',
    "string_type": "give a text, in quotes",
}


class NewestRequest(TypedDict):
    """One cheap request for the newest `updated_at` of a resource.

    `params` are its query parameters, `field` is the field of a row with the time.
    """

    params: dict[str, Any]
    field: str


class Tombstone(TypedDict):
    """A row that the API marks as deleted.

    `field` is the field of a row with the mark or the time, or its path; `rows` keeps such a row in
    the table, or deletes the row with its key.
    """

    field: str
    rows: Literal["keep", "delete"]


class PolicyEntry(TypedDict, total=False):
    """A policy in `api.py`: any of the fields of `Policy`."""

    load: Load
    schedule: str
    schedule_name: str | None
    automation: Literal["on", "off"]
    check_schedule: str
    timezone: str
    freshness: timedelta
    date_column: str | None
    description: str | None
    group: str | None
    owners: Sequence[str]
    tags: Mapping[str, str]
    op_tags: Mapping[str, Any]
    newest: NewestRequest | None
    rename: Mapping[str, str]
    nested: Literal["json", "columns"]
    empty: Literal["list", "absent"]
    max_rejected_share: float
    prune: bool
    max_pruned_share: float
    indexes: bool
    tombstone: Tombstone | None
    sampled_window: Literal["halve", "take"]
    time_formats: Mapping[str, str]
    alert: Literal["critical", "error", "warning", "info", "off"]
    preview: int | None
    sensitive: Sequence[str]
    max_runtime: timedelta | None


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The load of a resource, its schedule, its freshness and its owners.

    Args:
        load: the rows that each load reads: all (`Full`), the changed ones (`Incremental`), or
            those of some days, weeks or months (`Partitioned`).
        schedule: cron expression of the loads.
        schedule_name: name of the schedule, behind that of the API; None for one after its rhythm.
        automation: "on" if the schedules and the new-data sensor are on from the start.
        check_schedule: cron expression of the checks of the whole table, without a load.
        timezone: IANA time zone of `schedule` and `check_schedule`.
        freshness: the time for which the table counts as fresh, from the end of its newest day
            and from its last load; with partitions, from the end of the newest one.
        date_column: the table's column with the day of a row; None if it has none.
        description: a sentence about the rows, shown in the Dagster UI.
        group: asset group; None for the API's name.
        owners: `team:name` or e-mail addresses.
        tags: Dagster tags.
        op_tags: Dagster tags of the steps, which executors read: `dagster-celery/queue`, ...
        newest: a request for the newest `updated_at`; None leaves the resource to its schedule.
        rename: the table's column for a field of the API's rows, where their names differ.
        nested: the columns of an object within a row, where the contract describes it: one of JSON,
            or one for each of its fields, named as dlt does (`user__email`), down to the entry's
            `max_table_nesting`. Lists stay JSON.
        empty: the form of an answer without rows: a list without elements, or nothing at all in
            the place of the list, which is an error otherwise.
        max_rejected_share: the share of a load's rows, from 0 to 1, that may break the contract
            before the check `no_rejected_rows` fails; up to it the check warns.
        prune: True to delete rows from the table that the API no longer has.
        max_pruned_share: the share of the table's rows, from 0 to 1, that one load may delete.
        indexes: False to make no index on a large table in PostgreSQL; a load of few rows then
            reads it as a whole.
        tombstone: the field by which the API marks a row as deleted, and what becomes of the row.
        sampled_window: "halve" to request a sampled window of several partitions again in halves,
            down to one partition, where `answer_quality` of the entry names `sampled`; "take" to
            load its rows.
        time_formats: the formats of times that are not in ISO format, by field; of a field within
            an object the path, such as `meta.created`.
        alert: the severity of alerts about the resource; that of a finding that only warns is at
            most "warning". "critical" ones are sent in quiet hours, too; "off" sends none.
        preview: the number of the table's newest rows that the asset's page shows; None for five of
            the embedded API, and none of any other.
        sensitive: the columns, or fields of the API's rows, whose values are shown nowhere in the
            Dagster UI; of a field within an object the path, such as `user.email`.
        max_runtime: the longest time from the first request of a load until it writes into its
            table; None for no limit.
    """

    load: Load = field(default_factory=Full)
    schedule: str = "0 6 * * *"
    schedule_name: str | None = None
    automation: Literal["on", "off"] = "off"
    check_schedule: str = "0 3 * * sun"
    timezone: str = "UTC"
    freshness: timedelta = timedelta(hours=36)
    date_column: str | None = "date"
    description: str | None = None
    group: str | None = None
    owners: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    op_tags: Mapping[str, Any] = field(default_factory=dict)
    newest: NewestRequest | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    nested: Literal["json", "columns"] = "json"
    empty: Literal["list", "absent"] = "list"
    max_rejected_share: float = 0.01
    prune: bool = False
    max_pruned_share: float = 0.1
    indexes: bool = True
    tombstone: Tombstone | None = None
    sampled_window: Literal["halve", "take"] = "halve"
    time_formats: Mapping[str, str] = field(default_factory=dict)
    alert: Literal["critical", "error", "warning", "info", "off"] = "error"
    preview: int | None = None
    sensitive: Sequence[str] = ()
    max_runtime: timedelta | None = None

    @classmethod
    def merged(cls, where: str, *entries: PolicyEntry) -> "Policy":
        """Return the defaults with `entries` over them, the later over the earlier.

        Args:
            where: the name of the entries in an error, such as "policy of `page_views`".
            *entries: mappings of `Policy` fields.

        Returns:
            The policy.

        Raises:
            ConfigurationError: a key is unknown or a value cannot be used.
        """
        merged = {key: value for entry in entries for key, value in entry.items()}
        refuse_unknown_keys(where, merged, [known.name for known in fields(cls)])
        if isinstance(newest := merged.get("newest"), Mapping):
            _check_newest(f"{where}: `newest`", newest)
        if isinstance(tombstone := merged.get("tombstone"), Mapping):
            _check_parts(f"{where}: `tombstone`", tombstone, Tombstone.__annotations__)
        _check_types(where, merged)
        policy = cls(**merged)  # type: ignore[arg-type]  # checked key by key
        for name in ("max_rejected_share", "max_pruned_share"):
            if not 0 <= merged.get(name, 0) <= 1:  # type: ignore[operator]  # a float, see above
                raise ConfigurationError(
                    f"{where}: `{name}` is {merged[name]!r}; give a share from 0 to 1."
                )
        if not 0 <= (policy.preview or 0) <= MOST_PREVIEWED:
            raise ConfigurationError(
                f"{where}: `preview` is {policy.preview}; give a number of rows from 0 to "
                f"{MOST_PREVIEWED}."
            )
        for name, form in policy.time_formats.items():
            if not is_time_format(form):
                raise ConfigurationError(
                    f"{where}: the format of `{name}` in `time_formats` is {form!r}; give "
                    f"{EXAMPLES}."
                )
        if policy.schedule_name is not None and not NAME.fullmatch(policy.schedule_name):
            raise ConfigurationError(
                f"{where}: `schedule_name` is {policy.schedule_name!r}; give lower-case letters, "
                "digits and underscores, such as 'nightly'."
            )
        _check_load(where, policy)
        try:
            ZoneInfo(policy.timezone)
        except (ZoneInfoNotFoundError, ValueError, TypeError) as error:
            raise ConfigurationError(
                f"{where}: `timezone` is {policy.timezone!r}, which is not an IANA time zone such "
                f"as 'UTC' or 'Europe/Berlin'{did_you_mean(policy.timezone, known_timezones())}"
            ) from error
        for name in ("freshness", "max_runtime"):
            span = getattr(policy, name)
            is_none = span is None and name == "max_runtime"
            if not is_none and (not isinstance(span, timedelta) or span <= timedelta(0)):
                raise ConfigurationError(
                    f"{where}: `{name}` is {span!r}; "
                    "give a positive timedelta such as timedelta(hours=36)."
                )
        return policy


def _check_types(where: str, entry: Mapping[str, Any]) -> None:
    for name in entry.keys() - {
        "load",
        "timezone",
        "freshness",
        "max_runtime",
    }:  # `Policy.merged` checks those
        from pydantic import ValidationError

        try:
            _adapter(name).validate_python(entry[name], strict=True)
        except ValidationError as error:
            wrong = error.errors()[0]
            place = ".".join(str(part) for part in (name, *wrong["loc"]))
            remedy = REMEDIES.get(wrong["type"], wrong["msg"])
            raise ConfigurationError(
                f"{where}: `{place}` cannot be {wrong['input']!r}: {remedy}."
            ) from error


def _check_load(where: str, policy: Policy) -> None:
    load = policy.load
    if not isinstance(load, Full | Incremental | Partitioned):
        raise ConfigurationError(
            f"{where}: `load` is {load!r}; give Full(), Incremental(...) or Partitioned(...)."
        )
    if isinstance(load, Partitioned) and policy.date_column is None:
        raise ConfigurationError(
            f"{where}: a `Partitioned` load needs `date_column`, the column with the "
            f"{load.by} of a row; name it, or load the resource in full."
        )


@cache
def _adapter(name: str) -> "TypeAdapter[Any]":
    """Return the type adapter of a field; those of all fields take 25 ms."""
    from pydantic import TypeAdapter

    return TypeAdapter(get_type_hints(Policy)[name])


def _check_parts(where: str, given: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    refuse_unknown_keys(where, given, parts)
    for missing in parts.keys() - given.keys():
        raise ConfigurationError(f"{where} has no `{missing}`; add it.")


def _check_newest(where: str, newest: Mapping[str, Any]) -> None:
    _check_parts(where, newest, NewestRequest.__annotations__)
    for name in newest["params"] if isinstance(newest["params"], Mapping) else ():
        try:
            Place.of(str(name))
        except PlaceError as error:
            raise ConfigurationError(f"{where}: {name!r} in `params`: {error}.") from None
