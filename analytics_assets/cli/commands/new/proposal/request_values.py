"""The parameters and headers without which an operation answers nothing."""

from collections.abc import Collection, Mapping
from typing import Any

from analytics_assets.cli.commands.new.proposal.operation import Operation, Parameter
from analytics_assets.cli.commands.new.proposal.resource import Guess
from analytics_assets.cli.commands.new.writing.nodes import SETTING
from analytics_assets.contract.openapi.references import as_list

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
    missing: list[str] = []
    for each in operation.parameters:
        if each.place == "query" and each.name in given:
            params[each.name] = Guess(given[each.name])
        elif each.is_secret or each.name in used or not each.is_required:
            continue  # the sign-in sends it, or paginator and load do
        elif each.place == "query":
            guess = _stated(each)
            if guess:
                params[each.name] = guess
            else:
                missing.append(each.name)
        elif each.place == "header" and each.name.lower() not in SENT_BY_THE_CLIENT:
            headers[each.name] = _stated(each) or Guess(SETTING, "every request must have it")
    if missing:
        return f"it needs the parameter {', '.join(f'`{name}`' for name in missing)}"
    return params, headers


def _stated(parameter: Parameter) -> Guess | None:
    """Return the value that the document states; None if it states none."""
    default: Any = parameter.default
    choices = as_list(parameter.schema.get("enum"))
    if isinstance(default, str | int | float | bool):
        return Guess(default)
    if len(choices) == 1 and isinstance(choices[0], str | int | float | bool):
        return Guess(choices[0])
    return None
