"""The parents of resources whose paths have parameters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from analytics_assets.cli.commands.new.proposal.key import is_scalar
from analytics_assets.cli.commands.new.proposal.list_rows import ListRows
from analytics_assets.cli.commands.new.proposal.names import singular_of
from analytics_assets.cli.commands.new.proposal.operation import PLACEHOLDER, Operation
from analytics_assets.cli.commands.new.proposal.resource import Guess
from analytics_assets.extract.rows.response_body import plain_name

ENDS = ("id", "uuid", "slug", "key", "gid", "sid", "name")
FIELDS = ("slug", "login", "id", "uuid", "gid", "sid", "key", "name", "code")


@dataclass(frozen=True)
class FoundList:
    """An operation that answers with a list.

    Args:
        name: the name of its resource.
        operation: the operation.
        rows: its rows.
        key: its primary key.
    """

    name: str
    operation: Operation
    rows: ListRows
    key: Guess


@dataclass(frozen=True)
class KnownLists:
    """The lists that may be parents.

    Args:
        by_form: those by GET, by the form of their paths.
        by_noun: those whose paths have no parameter, by the singular of their last name.
    """

    by_form: Mapping[str, FoundList]
    by_noun: Mapping[str, Sequence[FoundList]]

    @classmethod
    def of(cls, lists: Iterable[FoundList]) -> "KnownLists":
        """Index lists."""
        by_form = {form_of(each.operation.path): each for each in lists}
        by_noun: dict[str, list[FoundList]] = {}
        for form, each in by_form.items():
            if "{}" not in form:
                noun = singular_of(plain_name(form.rpartition("/")[2]))
                by_noun.setdefault(noun, []).append(each)
        return cls(by_form, by_noun)


@dataclass(frozen=True)
class FilledPath:
    """The path of an entry, its parameters filled by rows of a parent.

    Args:
        path: the path.
        parent: the resource of these rows; None if the path has no parameter.
        field: the field of the parent's rows that fills the last parameter.
        param: the last parameter.
        needed: the fields that the parent must take over from its own parent.
        missing: the parameters that nothing fills.
    """

    path: Guess
    parent: FoundList | None = None
    field: str = ""
    param: str = ""
    needed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def form_of(path: str) -> str:
    """Return a path without the names of its parameters, and without the ending of a file."""
    return PLACEHOLDER.sub("{}", path).removesuffix(".json").rstrip("/")


def fill_path(operation: Operation, lists: KnownLists, values: Mapping[str, str]) -> FilledPath:
    """Fill the parameters of a path: by values, or by the rows of a parent.

    Args:
        operation: the operation.
        lists: those that may be parents.
        values: values of parameters by name, as the user gave them.
    """
    path = operation.path
    for name in operation.placeholders:
        if name in values:
            path = path.replace(f"{{{name}}}", values[name])
    names = PLACEHOLDER.findall(path)
    if not names:
        return FilledPath(Guess(path))
    last = names[-1]
    before = operation.path.rpartition(f"{{{last}}}")[0].rstrip("/")
    parent = lists.by_form.get(form_of(before))
    found = _field_of(last, parent) if parent and parent.operation is not operation else None
    check = None
    if found is None:
        parent = _by_name(last, operation, lists) if len(names) == 1 else None
        found = _field_of(last, parent) if parent else None
        if parent is None or found is None:
            return FilledPath(Guess(path), missing=tuple(names))
        check = f"`{{{last}}}` is taken for the rows of `{parent.name}`, by its name alone"
    assert parent, "a field of it was found"
    field, check = found[0], check or found[1]
    path = path.replace(f"{{{last}}}", f"{{resources.{parent.name}.{field}}}")
    filled = FilledPath(Guess(path, check), parent, field, last)
    return _with_outer(filled, names[:-1], lists, values)


def _with_outer(
    filled: FilledPath,
    names: list[str],
    lists: KnownLists,
    values: Mapping[str, str],
) -> FilledPath:
    """Fill the parameters before the last one by fields that the parent takes over from its own."""
    if not names:
        return filled
    parent, path = filled.parent, filled.path
    assert parent, "the last parameter is filled by it"
    outer = fill_path(parent.operation, lists, values)
    if outer.missing or outer.parent is None or len(names) > 1:
        return FilledPath(path, missing=tuple(names))
    found = _field_of(names[0], outer.parent)
    if found is None:
        return FilledPath(path, missing=tuple(names))
    field, check = found
    # dlt's name of a field that is taken over
    reference = f"{{resources.{parent.name}._{outer.parent.name}_{field}}}"
    whole = path.value.replace(f"{{{names[0]}}}", reference)
    return replace(filled, path=Guess(whole, path.check or check), needed=(field,))


def _by_name(name: str, operation: Operation, lists: KnownLists) -> FoundList | None:
    """Return the list whose last name is the plural of a parameter; None if none or several."""
    plain = plain_name(name)
    stems = {plain, plain.removeprefix("id"), *(plain.removesuffix(end) for end in ENDS)}
    found = [
        each
        for stem in stems - {""}
        for each in lists.by_noun.get(stem, ())
        if each.operation.path != operation.path
    ]
    return found[0] if len(found) == 1 else None


def _field_of(name: str, parent: FoundList) -> tuple[str, str | None] | None:
    """Return the field of a parent's rows that fills a parameter, and what is to be checked.

    None is returned for a parameter that means something else than a row of the parent.
    """
    properties = parent.rows.properties
    scalars = [each for each in properties if is_scalar(properties[each])]
    fields = {plain_name(each): each for each in reversed(scalars)}
    plain = plain_name(name)
    words = [part for part in parent.operation.segments if "{" not in part]
    noun = singular_of(plain_name(words[-1].partition(".")[0])) if words else ""
    if not properties:
        return "id", "the document does not describe the rows of the parent"
    for each in (plain, plain.removeprefix(noun)):
        if each and each in fields and each != "name":  # a `username` is rather the `login`
            return fields[each], None
    stem = next((plain.removesuffix(end) for end in ENDS if plain.endswith(end)), plain)
    end = plain.removeprefix(stem)
    has_better = end == "name" and not {"slug", "login"}.isdisjoint(fields)
    if end in fields and not has_better:
        other = f"`{{{name}}}` is taken for the `{fields[end]}` of `{parent.name}`"
        return fields[end], None if stem in ("", noun) else other
    if stem not in ("", noun) and plain != noun:
        return None
    found = next((fields[each] for each in FIELDS if each in fields), None)
    if found is None:
        return None
    is_sure = plain_name(found) == "id" and plain == noun
    check = f"`{{{name}}}` is taken for the field `{found}` of `{parent.name}`"
    return found, None if is_sure else check


def child_key(found: FoundList, filled: FilledPath) -> tuple[Guess, tuple[str, ...]]:
    """Return the key of a resource, and the fields that its rows take over from their parent.

    A key that may be unique within a parent alone, such as a number, has that of the parent in it.

    Args:
        found: the resource.
        filled: its path.
    """
    key = found.key
    if filled.parent is None or not filled.field:
        return key, ()
    noun = singular_of(plain_name(filled.parent.name.rpartition("_")[2]))
    named = {plain_name(filled.param), f"{noun}id", noun} - {"id"}
    has_reference = any(plain_name(each) in named for each in found.rows.properties)
    if key.check is None or key.value is None:
        return key, () if has_reference else (filled.field,)
    own = f"_{filled.parent.name}_{filled.field}"  # dlt's name of a field that is taken over
    parts = key.value if isinstance(key.value, list) else [key.value]
    return Guess([own, *parts], key.check), (filled.field,)
