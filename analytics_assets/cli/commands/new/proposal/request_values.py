"""The parameters and headers without which an operation answers nothing."""

from collections.abc import Collection, Mapping
from typing import Any

from analytics_assets.cli.commands.new.proposal.operation import Operation, Parameter
from analytics_assets.cli.commands.new.proposal.resource import Guess
from analytics_assets.cli.commands.new.writing.nodes import SECRET, SETTING
from analytics_assets.contract.openapi.references import as_list
from analytics_assets.redaction.names import SECRET as SECRET_NAME
from analytics_assets.redaction.names import setting_name

SENT_BY_THE_CLIENT = ("accept", "content-type", "user-agent", "accept-encoding", "host")
Values = tuple[dict[str, Guess], dict[str, Guess]]


def request_values(
    operation: Operation, used: Collection[str], given: Mapping[str, str]
) -> Values | str:
    """Find the values of the parameters that an operation requires.

    Args:
        operation: the operation.
        used: the parameters that paginator and load send.
        given: values by name, as the user gave them.

    Returns:
        Parameters of the query and headers; or the reason why the operation cannot be asked.
    """
    params: dict[str, Guess] = {}
    headers: dict[str, Guess] = {}
    missing = []
    for each in operation.parameters:
        if each.place == "query" and each.name in given:
            params[each.name] = Guess(given[each.name])
        elif each.is_required and each.place == "query" and each.name not in used:
            guess = _stated(each)
            if guess:
                params[each.name] = guess
            else:
                missing.append(each.name)
        elif each.is_required and each.place == "header" and not _is_sent(each):
            headers[each.name] = _stated(each) or _setting(each)
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        options = " ".join(f"--param {name}=..." for name in missing)
        return f"it needs the parameter {names}: {options}"
    return params, headers


def _is_sent(parameter: Parameter) -> bool:
    """Return True for a header that a client of HTTP sends of itself."""
    return parameter.name.lower() in SENT_BY_THE_CLIENT


def _stated(parameter: Parameter) -> Guess | None:
    """Return the value that the document states; None if it states none."""
    default: Any = parameter.default
    choices = as_list(parameter.schema.get("enum"))
    if isinstance(default, str | int | float | bool):
        return Guess(default)
    if len(choices) == 1 and isinstance(choices[0], str | int | float | bool):
        return Guess(choices[0])
    return None


def _setting(parameter: Parameter) -> Guess:
    is_secret = SECRET_NAME.search(setting_name(parameter.name)) is not None
    return Guess(SECRET if is_secret else SETTING, "every request must have it")
