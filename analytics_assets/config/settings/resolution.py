"""Resolution of a specification by dlt, with errors that name the setting and the remedy."""

from collections.abc import Sequence
from typing import Any, TypeVar

from dlt.common.configuration import resolve_configuration
from dlt.common.configuration.exceptions import (
    ConfigValueCannotBeCoercedException,
    ValueNotSecretException,
)
from dlt.common.configuration.specs import BaseConfiguration

from analytics_assets.config.errors import SettingsError

Spec = TypeVar("Spec", bound=BaseConfiguration)
REMEDIES = {
    "bool": "give true or false",
    "dict": "give a table of keys and values",
    "float": "give a number",
    "int": "give a whole number",
    "str": "give a text",
}


def resolved(
    spec: Spec, sections: Sequence[str] = (), given: Any = None, api_name: str = ""
) -> Spec:
    """Return a specification with its settings looked up by dlt.

    Args:
        spec: dlt's specification, without values.
        sections: those under which settings are looked up first, from the outermost.
        given: values that are not looked up; None for none.
        api_name: the API whose settings they are, for the error; empty for those of all.

    Raises:
        SettingsError: a value has the wrong type, or a secret stands in `config.toml`. The setting
            is named; its value is shown if it is a number, true or false, and not that of an API.
    """
    try:
        return resolve_configuration(spec, sections=tuple(sections), explicit_value=given)
    except ConfigValueCannotBeCoercedException as error:
        own = spec.__section__ or (sections[-1] if sections and sections[0] != "sources" else "")
        # dlt 1.31 resolves its own settings of the process on the way
        section = own if error.field_name in spec else "runtime"
        name = f"{section}.{error.field_name}".strip(".")
        shown = error.field_value if api_name == "" and error.hint in (int, float, bool) else None
        raise wrong_type(name, error.hint, api_name, shown) from None
    except ValueNotSecretException as error:
        raise secret_in_config(error) from None


def secret_in_config(error: ValueNotSecretException) -> SettingsError:
    """Return the error of a secret in a file that is for other settings."""
    return SettingsError(
        f"The setting `{error.key}` is a secret, and stands in .dlt/{error.provider_name}, which "
        "is under version control: move it to .dlt/secrets.toml, or into the environment."
    )


def wrong_type(name: str, hint: Any, api_name: str = "", value: Any = None) -> SettingsError:
    """Return the error of a setting whose value has another type.

    Args:
        name: the setting with its section.
        hint: the type that it must have.
        api_name: the API whose setting it is; empty for those of all.
        value: its value; None to leave it out, as it may be a secret.
    """
    kind = getattr(hint, "__name__", str(hint))
    kinds = [part.strip() for part in kind.replace("Optional", "").strip("[]").split("|")]
    remedy = REMEDIES.get(kinds[0], f"it must be of type {kind}")
    of = f" of the {api_name} API" if api_name else ""
    be = "be used" if value is None else f"be {value!r}"
    return SettingsError(f"The setting `{name}`{of} cannot {be}: {remedy}.")
