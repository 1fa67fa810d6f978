"""The proposal of an API, made of its OpenAPI document."""

import fnmatch
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from analytics_assets.cli.commands.new.proposal.key import key_of
from analytics_assets.cli.commands.new.proposal.list_rows import ListRows, find_rows
from analytics_assets.cli.commands.new.proposal.names import is_search, names_of
from analytics_assets.cli.commands.new.proposal.operation import Operation, operations_of
from analytics_assets.cli.commands.new.proposal.paginator import is_paged, paging_of
from analytics_assets.cli.commands.new.proposal.parents import (
    FoundList,
    KnownLists,
    child_key,
    fill_path,
    form_of,
)
from analytics_assets.cli.commands.new.proposal.request_values import request_values
from analytics_assets.cli.commands.new.proposal.resource import Guess, ProposedResource, Skipped
from analytics_assets.cli.commands.new.proposal.security import SignIn, keys_of, sign_in_of
from analytics_assets.cli.commands.new.proposal.server import base_url_of
from analytics_assets.cli.commands.new.proposal.times import times_of
from analytics_assets.config.errors import ConfigurationError, did_you_mean, listed
from analytics_assets.contract.errors import SchemaError
from analytics_assets.contract.openapi.endpoints import Endpoints

MOST_SHOWN = 20  # names in an error


@dataclass(frozen=True)
class ProposedApi:
    """An API, proposed of its document.

    Args:
        base_url: the base URL; None if it is a setting.
        sign_in: the sign-in.
        resources: the resources.
        skipped: the operations that are left out.
    """

    base_url: Guess
    sign_in: SignIn
    resources: tuple[ProposedResource, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Selection:
    """The operations to take.

    Args:
        only: names of resources, paths of the document or patterns of either; empty for all.
        values: values of parameters, by name.
    """

    only: Sequence[str] = ()
    values: Mapping[str, str] = field(default_factory=dict)

    def takes(self, name: str, path: str) -> bool:
        """Return True if a resource is selected by its name or its path."""
        patterns = self.only
        return not patterns or any(
            fnmatch.fnmatchcase(each, pattern) for each in (name, path) for pattern in patterns
        )


def propose(
    endpoints: Endpoints,
    selection: Selection,
    document_url: str | None = None,
    today: date | None = None,
) -> ProposedApi:
    """Propose an API.

    Args:
        endpoints: those of the document.
        selection: the operations to take.
        document_url: the URL of the document; None for a file.
        today: the current day; the one of the machine without it.

    Raises:
        ConfigurationError: nothing fits the selection, or nothing is a list.
    """
    lists, skipped = _lists_of(endpoints, selection)
    wanted = [each for each in lists if selection.takes(each.name, each.operation.path)]
    _check_selection(selection, lists, skipped)
    if selection.only:  # others are not asked for
        skipped = [each for each in skipped if selection.takes("", each.path)]
    known = KnownLists.of(lists)
    taken: dict[str, ProposedResource] = {}
    needed: dict[str, set[str]] = {}
    to_take = list(wanted)
    while to_take:
        each = to_take.pop(0)
        if each.name in taken:
            continue
        resource = _resource(each, known, selection, today or date.today(), endpoints)
        if isinstance(resource, Skipped):
            skipped.append(resource)
            continue
        taken[each.name] = resource
        filled = fill_path(each.operation, known, selection.values)
        if filled.parent:
            needed.setdefault(filled.parent.name, set()).update(filled.needed)
            to_take.append(filled.parent)
    order = {each.name: number for number, each in enumerate(lists)}
    resources = [taken[name] for name in sorted(taken, key=order.__getitem__)]
    resources = _without_orphans(resources, skipped)
    resources = [_taking_over(each, needed.get(each.name, set())) for each in resources]
    if not resources:
        raise ConfigurationError(_nothing(skipped))
    operations = {each.name: each.operation for each in lists}
    sign_in = sign_in_of(endpoints, [operations[each.name] for each in resources], document_url)
    return ProposedApi(
        base_url_of(endpoints.document, document_url), sign_in, tuple(resources), tuple(skipped)
    )


def _lists_of(endpoints: Endpoints, selection: Selection) -> tuple[list[FoundList], list[Skipped]]:
    """Return the operations that answer with a list, and those that do not."""
    found: list[tuple[Operation, ListRows]] = []
    skipped: list[Skipped] = []
    seen: set[str] = set()
    siblings: dict[str, set[str]] = {}
    for operation in operations_of(endpoints):
        if isinstance(operation, tuple):
            skipped.append(Skipped(*operation))
            continue
        try:
            with endpoints.references.limited():
                rows = find_rows(endpoints.references, operation, is_paged(operation))
                if isinstance(rows, ListRows):
                    assert rows.properties is not None, "read within the limits"
        except SchemaError as error:
            rows = str(error)
        if operation.method != "get":
            is_list = isinstance(rows, ListRows) and is_search(operation.path)
            if is_list and form_of(operation.path) not in seen:
                skipped.append(Skipped(operation.path, "it is a POST: write its entry by hand"))
            continue
        if isinstance(rows, str):
            if operation.path.endswith("}"):  # `/orders/{order_id}`: the key of `/orders`
                before, _, param = operation.path.rpartition("/")
                siblings.setdefault(form_of(before), set()).add(param.strip("{}"))
            skipped.append(Skipped(operation.path, rows))
        elif operation.is_deprecated and not selection.only:
            skipped.append(Skipped(operation.path, "it is deprecated", is_list=True))
        elif form_of(operation.path) not in seen:
            seen.add(form_of(operation.path))
            found.append((operation, rows))
    names = names_of((operation.path for operation, _ in found), selection.values)
    lists = [
        FoundList(
            names[operation.path],
            operation,
            rows,
            key_of(operation, rows.properties, siblings.get(form_of(operation.path), ())),
        )
        for operation, rows in found
    ]
    return lists, skipped


def _resource(
    found: FoundList,
    lists: KnownLists,
    selection: Selection,
    today: date,
    endpoints: Endpoints,
) -> ProposedResource | Skipped:
    operation, rows = found.operation, found.rows
    filled = fill_path(operation, lists, selection.values)
    if filled.missing:
        names = ", ".join(f"{{{name}}}" for name in filled.missing)
        return Skipped(operation.path, f"its path needs {names}", is_list=True)
    paging = paging_of(operation, rows)
    others = [each for each in operation.query if each.name not in paging.used]
    key, parent_fields = child_key(found, filled)
    with endpoints.references.limited():
        times = times_of(others, rows.properties, key.value is not None, today)
    values = request_values(
        operation, {*paging.used, *times.used, *keys_of(endpoints)}, selection.values
    )
    if isinstance(values, str):
        return Skipped(operation.path, values, is_list=True)
    params, headers = values
    return ProposedResource(
        name=found.name,
        document_path=operation.path,
        path=filled.path,
        method=operation.method,
        selector=Guess(rows.selector, rows.check),
        primary_key=key,
        paginator=paging.paginator,
        params={**paging.params, **params},
        headers=headers,
        parent=filled.parent.name if filled.parent else None,
        parent_fields=parent_fields,
        date_column=times.date_column,
        loads=times.loads,
        time_formats=times.time_formats,
        description=operation.summary,
    )


def _taking_over(resource: ProposedResource, fields: Collection[str]) -> ProposedResource:
    """Return a resource whose rows get fields of its parent, which its children need."""
    taken = dict.fromkeys((*resource.parent_fields, *sorted(fields)))
    return replace(resource, parent_fields=tuple(taken)) if resource.parent else resource


def _without_orphans(
    resources: Iterable[ProposedResource], skipped: list[Skipped]
) -> list[ProposedResource]:
    """Leave out the resources whose parent is left out."""
    kept = list(resources)
    while True:
        names = {each.name for each in kept}
        orphans = [each for each in kept if each.parent and each.parent not in names]
        if not orphans:
            return kept
        for each in orphans:
            reason = f"it is read from the rows of `{each.parent}`, which is left out"
            skipped.append(Skipped(each.document_path, reason, is_list=True))
        kept = [each for each in kept if each not in orphans]


def _check_selection(
    selection: Selection, lists: Sequence[FoundList], skipped: Sequence[Skipped]
) -> None:
    reasons = {each.path: each.reason for each in skipped}
    known = [name for each in lists for name in (each.name, each.operation.path)]
    for pattern in selection.only:
        if fnmatch.filter(known, pattern):
            continue
        left_out = [path for path in reasons if fnmatch.fnmatchcase(path, pattern)]
        if left_out:
            raise ConfigurationError(f"`--only {pattern}`: {left_out[0]}: {reasons[left_out[0]]}.")
        names = [each.name for each in lists]
        more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
        raise ConfigurationError(
            f"`--only {pattern}` fits no list of the document{did_you_mean(pattern, names)} "
            f"Lists are {listed(names[:MOST_SHOWN])}{more}."
        )


def _nothing(skipped: Collection[Skipped]) -> str:
    lists = [each for each in skipped if each.is_list] or list(skipped)
    shown = "; ".join(f"{each.path}: {each.reason}" for each in lists[:5])
    hint = ". `--param NAME=VALUE` gives a parameter its value" if " needs " in shown else ""
    return f"The document has no list that can be loaded{f'. {shown}' if shown else ''}{hint}."
