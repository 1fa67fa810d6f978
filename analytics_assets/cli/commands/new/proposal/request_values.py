"""The parameters and headers without which an operation answers nothing."""

from collections.abc import Collection, Mapping
from math import isfinite
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
            stated = _stated(each)
            headers[each.name] = (
                Guess(_as_text(stated.value))
                if stated
                else Guess(SETTING, "every request must have it")
            )
    if missing:
        return f"it needs the parameter {', '.join(f'`{name}`' for name in missing)}"
    return params, headers


def _stated(parameter: Parameter) -> Guess | None:
    """Return the value that the document states; None if it states none."""
    choices = as_list(parameter.schema.get("enum"))
    stated = [parameter.default, *(choices if len(choices) == 1 else ())]
    return next((Guess(each) for each in stated if _can_be_sent(each)), None)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _can_be_sent(value: Any) -> bool:
    """Return True for a text, a boolean and a number; infinity, as of `1e999`, is none."""
    return isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))
