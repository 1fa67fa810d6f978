"""The outcome of `new` on the terminal: what was taken or left out, and what comes next."""

import re
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from analytics_assets.cli.commands.new.folder import shown
from analytics_assets.cli.commands.new.proposal.from_document import ProposedApi
from analytics_assets.cli.commands.new.proposal.resource import ProposedResource, Skipped
from analytics_assets.cli.commands.new.validated import Validated
from analytics_assets.cli.commands.new.writing.literal import one_line
from analytics_assets.cli.commands.new.writing.nodes import SECRET, SETTING
from analytics_assets.cli.terminal import console, echo, echo_table, is_terminal
from analytics_assets.config.text.quantities import count
from analytics_assets.contract.contract import Contract
from analytics_assets.redaction.names import setting_name

MOST_ROWS = 40  # of the table
MOST_PATHS = 3  # of a reason
MOST_REASONS = 10
SETTINGS = "Credentials and settings"  # the heading in a recipe's README
NAMED = re.compile(r"( #|;) the name of your API")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
MOST_COLUMNS = 3
WIDE = 140  # letters of a terminal that shows the names of columns


def echo_outcome(found: Validated) -> None:
    """Print what was taken and what was left out."""
    api = found.api
    table = Table(box=None, pad_edge=False, header_style="bold")
    is_narrow = is_terminal() and console().width < WIDE
    for heading in ("resource", "path", "rows", "key", "pages"):
        table.add_column(heading, overflow="fold")
    table.add_column("checked" if is_narrow else "columns checked", justify="right")
    table.add_column("not" if is_narrow else "not checked", overflow="fold")
    table.add_column("guesses", justify="right")
    for each in api.resources[:MOST_ROWS]:
        cells = _cells(each, found.contracts[each.name], is_narrow)
        table.add_row(*(Text(one_line(cell)) for cell in cells))
    echo_table(table)
    if len(api.resources) > MOST_ROWS:
        echo(f"... and {len(api.resources) - MOST_ROWS} more")
    _echo_skipped(api.skipped)
    for note in api.sign_in.notes:
        echo(f"{one_line(note)}.")


def _cells(resource: ProposedResource, contract: Contract, is_narrow: bool) -> tuple[str, ...]:
    paginator = resource.paginator.value
    kind = paginator["type"] if isinstance(paginator, dict) else paginator
    key = resource.primary_key.value
    shown_key = ", ".join(key) if isinstance(key, list) else key
    checked = [each.name for each in contract.columns if each.data_type != "json"]
    others = [each.name for each in contract.columns if each.data_type == "json"]
    some = ", ".join(others[:MOST_COLUMNS]) + (", ..." if len(others) > MOST_COLUMNS else "")
    return (
        resource.name,
        resource.document_path,
        str(resource.selector.value or "the body"),
        str(shown_key or "none: replaced"),
        str(kind),
        str(len(checked)) if contract.columns else "none",
        str(len(others) or "") if is_narrow else f"{len(others)}: {some}" if others else "",
        str(len(resource.checks) or ""),
    )


def _echo_skipped(skipped: Sequence[Skipped]) -> None:
    reasons: dict[str, list[str]] = {}
    for each in skipped:
        reasons.setdefault(each.reason, []).append(each.path)
    if not skipped:
        return
    echo(f"Left out: {count(len(skipped), 'path')}", style="bold")
    ordered = sorted(reasons.items(), key=lambda each: -len(each[1]))
    for reason, paths in ordered[:MOST_REASONS]:
        some = ", ".join(paths[:MOST_PATHS]) + (", ..." if len(paths) > MOST_PATHS else "")
        echo(f"  {len(paths)}: {one_line(f'{reason} ({some})')}")
    if others := ordered[MOST_REASONS:]:
        paths_of_others = sum(len(paths) for _, paths in others)
        echo(f"  {paths_of_others}: {count(len(others), 'other reason')}")
    if any(" needs " in each.reason for each in skipped if each.is_list):
        echo("  `--param NAME=VALUE` gives a parameter its value.")


def echo_next_steps(name: str, file: Path, api: ProposedApi, guesses: int) -> None:
    """Print the settings that the API needs, and the next commands."""
    echo(f"Wrote {shown(file)} with {count(len(api.resources), 'resource')}.")
    if guesses:
        echo(
            f"{count(guesses, 'guess', 'guesses')} to confirm: look for `# check:` in {file.name}."
        )
    if not (api.sign_in.auth.value or api.sign_in.headers):
        echo("No sign-in is known; if the API has one, add `auth` to `client`.")
    if names := settings_of(api):
        echo("Write into .dlt/secrets.toml:")
        echo(f"  [sources.{name}]")
        for each in names:
            echo(f'  {each} = "..."')
    _echo_commands(name)


def settings_of(api: ProposedApi) -> list[str]:
    """Return the settings without which nothing can be requested."""
    names = [] if api.base_url.value else ["base_url"]
    auth = api.sign_in.auth.value or {}
    named = [key for key, value in auth.items() if value in (SECRET, SETTING)]
    named += [setting_name(key) for key in (*api.sign_in.headers, *api.sign_in.params)]
    named += [
        setting_name(key)
        for each in api.resources
        for key, guess in each.headers.items()
        if guess.value in (SECRET, SETTING)
    ]
    return list(dict.fromkeys([*names, *named]))


def echo_recipe(name: str, vendor: str, readme: str, folder: Path) -> None:
    """Print the settings of a recipe that was copied, and the next commands."""
    echo(f"Wrote {shown(folder)}/, a copy of the recipe `{vendor}`.")
    echo(f"Its tables and limits: analytics_assets/recipes/{vendor}/README.md")
    if settings := settings_in(readme, name):
        echo(f"\n{settings}\n")
    _echo_commands(name)


def settings_in(readme: str, name: str) -> str:
    """Return the part of a recipe's README about its settings, with the API's name in it."""
    text = readme.partition(f"## {SETTINGS}\n")[2].partition("\n## ")[0].strip()
    text = LINK.sub(r"\1", text.replace("sources.shop", f"sources.{name}"))
    return "\n".join(line for line in NAMED.sub("", text).splitlines() if "```" not in line)


def _echo_commands(name: str) -> None:
    echo("Next:")
    for command in ("check", "preview", "materialize"):
        echo(f"  analytics-assets {command} {name}")
