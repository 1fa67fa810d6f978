"""The column with the day of a row, and loads of changed rows or of days, by parameters of time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics_assets.cli.commands.new.proposal.operation import Parameter
from analytics_assets.cli.commands.new.proposal.resource import Guess, ProposedLoad
from analytics_assets.config.times.window import Window
from analytics_assets.contract.compat import snake_case
from analytics_assets.contract.openapi.references import Schema, as_list
from analytics_assets.extract.rows.response_body import plain_name

DAYS = ("date", "day", "reportdate", "statdate", "businessdate")
MOMENTS = (
    *("createdat", "created", "createdon", "createddate", "datecreated", "createtime"),
    *("creationdate", "timestamp", "time", "occurredat", "eventtime", "publishedat", "startedat"),
    *(
        "starttime",
        "insertedat",
        "dateadded",
        "addedat",
        "createdtime",
        "creationtime",
        "submittedat",
    ),
)
CHANGES = (
    *("updatedat", "updated", "updatedon", "dateupdated", "modifiedat", "modified", "modifiedon"),
    *("lastmodified", "lastmodifiedat", "lastmodifieddate", "datemodified", "lastupdated"),
    *("updatetime", "modifiedtime", "lastupdatedat", "lasteditedtime", "changedat", "updateddate"),
    *("lastupdatetime", "updatedtime", "lastmodifiedtime", "lastupdate"),
)
# ends of the names of parameters for a start and an end, plain
STARTS = ("gte", "gt", "since", "after", "from", "min", "start")
CHANGE_STEMS = (
    *("updated", "updatedat", "modified", "modifiedat", "changed", "lastmodified", "lastupdated"),
    *("lastmodifiedat", "updatedon", "datemodified", "dateupdated", "modifiedon"),
)
CREATION_STEMS = (
    *("created", "createdat", "createddate", "datecreated", "createdon", "creationdate"),
)
SINCE_CHANGE = (
    *(f"{stem}{end}" for stem in CHANGE_STEMS for end in (*STARTS, "atmin", "datemin")),
    *("updatedmin", "modifiedmin", "minupdatedat"),
)
SINCE_CREATION = tuple(f"{stem}{end}" for stem in CREATION_STEMS for end in STARTS)
PAIRS = (
    *(("startdate", "enddate"), ("datefrom", "dateto"), ("fromdate", "todate")),
    *(("startday", "endday"), ("dateafter", "datebefore"), ("mindate", "maxdate")),
    *(("startat", "endat"), ("starttime", "endtime"), ("startdatetime", "enddatetime")),
    *(("timefrom", "timeto"), ("fromtime", "totime"), ("periodstart", "periodend")),
    *(("from", "to"), ("since", "until"), ("start", "end"), ("after", "before"), ("begin", "end")),
    *(("datestart", "dateend"), ("starttimestamp", "endtimestamp"), ("startts", "endts")),
    *(
        ("createdafter", "createdbefore"),
        ("createdfrom", "createdto"),
        ("createdsince", "createduntil"),
    ),
    *(
        ("createdgte", "createdlte"),
        ("createdatgte", "createdatlte"),
        ("createdatmin", "createdatmax"),
    ),
    *(("timestampgte", "timestamplte"), ("dategte", "datelte"), ("timemin", "timemax")),
)
ISO_TIME = "%Y-%m-%dT%H:%M:%SZ"
FIRST_MOMENT = "2000-01-01T00:00:00Z"


@dataclass(frozen=True)
class Times:
    """The part of a policy that is about time.

    Args:
        date_column: the column with the day of a row; None if there is none.
        loads: loads other than all rows.
        time_formats: the formats of times that are numbers, by field.
        used: the parameters that only these loads send.
        is_partitioned: True if no request is possible without a span of time.
    """

    date_column: Guess
    loads: tuple[ProposedLoad, ...]
    time_formats: Mapping[str, Guess]
    used: frozenset[str]


def times_of(
    query: Sequence[Parameter], properties: Mapping[str, Schema], is_keyed: bool, today: date
) -> Times:
    """Find the day of a row, and loads of changed rows or of days.

    Args:
        query: the parameters that page through no rows.
        properties: the fields of a row.
        is_keyed: True if a field identifies a row, so that rows can be merged.
        today: the current day; partitions begin in the year before it.
    """
    formats: dict[str, Guess] = {}
    day, moment = _field(properties, DAYS, formats), _field(properties, MOMENTS, formats)
    change = _field(properties, CHANGES, formats)
    column = Guess(None)
    if day:
        column = Guess(snake_case(day))
    elif moment:
        column = Guess(snake_case(moment), f"`{moment}` is taken for the day of a row")
    windows = list(_windows(query, day or moment, column, today)) if is_keyed else []
    changes = list(_incrementals(query, change, moment, formats)) if is_keyed else []
    required = [load for load in windows if load.is_active]
    loads = required or [*changes, *windows]
    named = frozenset(name for load in loads if load.is_active for name in _params_of(load))
    kept = {name: formats[name] for name in formats if name in (day, moment, change)}
    return Times(column, tuple(loads), kept, named)


def _field(
    properties: Mapping[str, Schema], names: Sequence[str], formats: dict[str, Guess]
) -> str | None:
    """Return the first field of these names that has times; one of numbers gets its format."""
    plain = {plain_name(name): name for name in reversed(list(properties))}
    for each in names:
        name = plain.get(each)
        part = properties[name] if name else {}
        kinds = set(as_list(part.get("type"))) - {"null"}
        if name and part.get("format") in ("date", "date-time"):
            return name
        if name and kinds and kinds <= {"integer", "number"}:
            formats[name] = _epoch(part, name)
            return name
    return None


def _epoch(part: Schema, name: str) -> Guess:
    text = str(part.get("description") or "").lower()
    if "milli" in text or part.get("format") in ("milliseconds", "unix-milliseconds"):
        return Guess("epoch_milliseconds")
    if (
        part.get("format") in ("unix-time", "timestamp", "unixtime")
        or "unix" in text
        or "epoch" in text
    ):
        return Guess("epoch_seconds")
    shown = part.get("example")
    if isinstance(shown, int) and shown > 10**11:
        return Guess("epoch_milliseconds", f"`{name}` is a number, by its example of milliseconds")
    return Guess("epoch_seconds", f"`{name}` is a number; it may be of milliseconds")


def _incrementals(
    query: Sequence[Parameter], change: str | None, moment: str | None, formats: Mapping[str, Guess]
) -> Iterator[ProposedLoad]:
    params = {each.plain: each for each in query}
    param = next((params[name] for name in SINCE_CHANGE if name in params), None)
    is_sure = param is not None and change is not None and param.format in ("date", "date-time")
    field, check = change, "the first load reads rows that changed from `initial_value` on"
    if param is None and "since" in params and change:
        param = params["since"]
        says_so = any(word in param.description.lower() for word in ("updat", "modif", "chang"))
        is_sure = says_so and param.format in ("date", "date-time")
        check = f"`since` may be compared with another time than `{change}`"
        if is_sure:
            check = "the first load reads rows that changed from `initial_value` on"
    if param is None or field is None:
        param = next((params[name] for name in SINCE_CREATION if name in params), None)
        field, is_sure = moment, False
        check = "reads new rows alone: one that changes later stays as it was loaded"
    if param is None or field is None:
        return
    if not is_sure and change == field:
        check = f"`{param.name}` may be compared with another time than `{field}`"
    start = FIRST_MOMENT[:10] if param.format == "date" else FIRST_MOMENT
    arguments: dict[str, Any] = {"param": param.name, "field": field, "initial_value": start}
    if {"integer", "number"} & param.kinds and field not in formats:
        arguments["format"] = "epoch_seconds"
    yield ProposedLoad("Incremental", arguments, is_sure, check)


def _windows(
    query: Sequence[Parameter], field: str | None, column: Guess, today: date
) -> Iterator[ProposedLoad]:
    params = {each.plain: each for each in query}
    for first, last in PAIRS:
        if first not in params or last not in params:
            continue
        start, end = params[first], params[last]
        if field is None or not (start.takes_time and end.takes_time):
            continue
        is_required = start.is_required and end.is_required
        form = _window_format(start)
        window: dict[str, Any] = {}
        if (start.name, end.name) != (Window.start_param, Window.end_param):
            window |= {"start_param": start.name, "end_param": end.name}
        window |= {} if form.value == Window.format else {"format": form.value}
        arguments: dict[str, Any] = {"start": date(today.year, 1, 1)}
        arguments |= {"window": window} if window else {}
        checks = [f"the first day, and that `{end.name}` includes the rows of its day or time"]
        checks += [form.check] if form.check else []
        if column.check and is_required:
            checks.append(f"that `{column.value}` is the time that they limit")
        yield ProposedLoad("Partitioned", arguments, is_required, "; ".join(checks))
        return


def _window_format(start: Parameter) -> Guess:
    if start.format == "date":
        return Guess("%Y-%m-%d")
    if start.format == "date-time":
        return Guess(ISO_TIME)
    text = f"{start.name} {start.description}".lower()
    if {"integer", "number"} & start.kinds or "epoch" in text or "unix" in text:
        unit = (
            "epoch_milliseconds"
            if "milli" in text or "(ms" in text or " ms" in text
            else "epoch_seconds"
        )
        return Guess(unit, f"`{start.name}` may take another unit")
    if (
        "hh:mm" in text
        or "iso 8601" in text
        or "rfc3339" in text
        or "rfc 3339" in text
        or "time" in start.plain
    ):
        return Guess(ISO_TIME, f"`{start.name}` may take another format")
    return Guess("%Y-%m-%d", f"`{start.name}` may take another format")


def _params_of(load: ProposedLoad) -> Iterator[str]:
    if load.kind == "Incremental":
        yield load.arguments["param"]
        return
    window = load.arguments.get("window", {})
    yield window.get("start_param", Window.start_param)
    yield window.get("end_param", Window.end_param)
