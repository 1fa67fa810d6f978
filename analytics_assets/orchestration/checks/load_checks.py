"""What is asked of the last load: whether it was complete, what it left out, what it deleted."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from analytics_assets.config.api import REJECTED_ROWS, Api
from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Incremental
from analytics_assets.config.policy import Policy
from analytics_assets.contract import Contract, drift
from analytics_assets.contract.contract import contract_in
from analytics_assets.contract.validation import MISSING_KEY
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.incremental.cursor import AFTER, BEFORE, STARTED
from analytics_assets.extract.incremental.cursor_values import (
    ROWS_BEFORE_START,
    ROWS_WITHOUT_CURSOR,
    ROWS_YET_TO_COME,
)
from analytics_assets.extract.openapi import fetch_document
from analytics_assets.orchestration.checks.result import Verdict
from analytics_assets.orchestration.metadata import (
    ABSENT_FIELDS,
    COMPLETE,
    NOT_SAID,
    ROWS_EXPECTED,
    ROWS_OF_LOAD,
    ROWS_PRUNED,
    ROWS_RECEIVED,
    ROWS_REJECTED,
    ROWS_REPEATED,
    ROWS_TO_PRUNE,
    UNKNOWN_FIELDS,
    loads_of,
)
from analytics_assets.warehouse.tables import Tables

REASONS_SHOWN = 3
NO_LOAD = "There is no load yet."


def check_complete_read(load: Mapping[str, Any]) -> Verdict:
    """Fail if the last load may have left rows out.

    Args:
        load: the metadata of the last load.

    Returns:
        The verdict; a warning where the configuration itself limits the read, or where rows share
        their key.
    """
    received, expected = load.get(ROWS_RECEIVED), load.get(ROWS_EXPECTED)
    if received is None:
        return Verdict(False, NO_LOAD, dg.AssetCheckSeverity.WARN)
    told = f"{received} rows arrived"
    told += "; the API gives no total." if expected == NOT_SAID else f" of {expected}."
    if STARTED in load:
        told += f" Asked for was what has changed since {load[STARTED]}."
    if not load.get(COMPLETE):
        told += " The entry's `paginator` ends the read before the API's last row."
        return Verdict(False, told, dg.AssetCheckSeverity.WARN)
    repeated = load.get(ROWS_REPEATED, 0)
    due = received - load.get(ROWS_REJECTED, 0) - repeated
    if load.get(ROWS_OF_LOAD, due) < due:
        return Verdict(
            False,
            f"{told} Only {load[ROWS_OF_LOAD]} of {due} are in the table: others had the same key "
            "there. Set `primary_key` to what tells all rows apart, also those of other parents.",
            numbers={"rows_received": received},
        )
    if repeated:
        told += (
            f" {repeated} of them have the key of another, of which the last was kept: does "
            "`primary_key` tell rows apart?"
        )
    return Verdict(not repeated, told, dg.AssetCheckSeverity.WARN, {"rows_received": received})


def check_cursor(load: Mapping[str, Any], policy: Policy) -> Verdict:
    """Warn if the last load brought rows by which no later one can tell what is new.

    Args:
        load: the metadata of the last load.
        policy: says what is read as new.
    """
    reads = policy.load
    assert isinstance(reads, Incremental), "no other load has a cursor"
    if AFTER not in load:
        return Verdict(False, NO_LOAD, dg.AssetCheckSeverity.WARN)
    numbers = {name: load[name] for name in (ROWS_WITHOUT_CURSOR, ROWS_BEFORE_START)}
    numbers[ROWS_YET_TO_COME] = load[ROWS_YET_TO_COME]
    told = {
        ROWS_WITHOUT_CURSOR: f"do not say in `{reads.field}` when they changed, so that no load "
        "can ask for what changes in them. Name the field that does, or load the resource in full.",
        ROWS_BEFORE_START: f"changed before {load[STARTED]}, which was asked for. Does the API "
        f"honour `{reads.param}`, and mean `{reads.field}` by it?",
        ROWS_YET_TO_COME: "changed at a time that is yet to come. They are loaded, but the cursor "
        "does not follow them.",
    }
    found = [f"{count} rows {told[name]}" for name, count in numbers.items() if count]
    text = " ".join(found) or f"It moved from {load[BEFORE]} to {load[AFTER]}."
    return Verdict(not found, text, dg.AssetCheckSeverity.WARN, numbers)


def check_rejected_rows(
    tables: Tables, resource: str, load: Mapping[str, Any], policy: Policy
) -> Verdict:
    """Warn if rows of the last load were rejected; fail if they were more than the policy allows.

    Args:
        tables: the open warehouse.
        resource: the resource.
        load: the metadata of its last load.
        policy: says how large a share may be rejected.
    """
    if not load.get(ROWS_REJECTED):
        return Verdict(True, "All rows fit.", numbers={ROWS_REJECTED: 0})
    reasons = tables.rejections(REJECTED_ROWS, resource, loads_of(load))
    rejected = sum(reasons.values())
    share = rejected / max(load[ROWS_RECEIVED], rejected)
    examples = "; ".join(
        f"{reason} ({count} times)" for reason, count in list(reasons.items())[:REASONS_SHOWN]
    )
    severe = share > policy.max_rejected_share
    told = (
        f"{rejected} rows ({share:.2%}) are in `{REJECTED_ROWS}` and not in the table: {examples}."
    )
    if any(reason.endswith(MISSING_KEY) for reason in reasons):
        told += " Is `primary_key` in the entry the field that tells rows apart?"
    return Verdict(
        False,
        told,
        dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
        {ROWS_REJECTED: rejected},
    )


def check_pruned(load: Mapping[str, Any], policy: Policy) -> Verdict:
    """Fail if there were more rows to delete than the policy allows.

    Args:
        load: the metadata of the last load.
        policy: says how large a share of the table may be deleted.
    """
    found, deleted = load.get(ROWS_TO_PRUNE, 0), load.get(ROWS_PRUNED, 0)
    numbers = {ROWS_PRUNED: deleted}
    if found == deleted:
        return Verdict(True, f"{deleted} rows were deleted.", numbers=numbers)
    why = (
        f"{load[ROWS_REJECTED]} rows were rejected, which may be among them"
        if load.get(ROWS_REJECTED)
        else f"that is more than {policy.max_pruned_share:.0%} of the table"
    )
    return Verdict(
        False,
        f"The API no longer has {found} rows of the table. None was deleted: {why}. If they are to "
        "go, raise `max_pruned_share` in the resource's policy for one load.",
        numbers=numbers,
    )


def check_drift(api: Api, contract: Contract, load: Mapping[str, Any]) -> Verdict:
    """Warn if the API is no longer as the kept contract says: its document now, or its rows.

    Args:
        api: the API; it is asked for its document.
        contract: what is kept.
        load: the metadata of the last load.
    """
    unknown, absent = load.get(UNKNOWN_FIELDS) or {}, load.get(ABSENT_FIELDS) or ()
    seen = [f"rows have `{field}` ({kind}), unknown so far" for field, kind in unknown.items()]
    if load.get(ROWS_RECEIVED):
        seen += [f"no row has `{field}`" for field in absent]
    try:
        connection = connect(api.config["client"], api.name)
        document = fetch_document(connection, api.openapi_path)
        changes = [*drift(contract, contract_in(document, api, contract.resource)), *seen]
    except AnalyticsAssetsError as error:
        changes = [f"the API's document could not be compared: {error}", *seen]
    text = "\n".join(changes) or "The API is as the contract says."
    if changes:
        text += "\n`analytics-assets contract` takes the API's document over."
    return Verdict(not changes, text, dg.AssetCheckSeverity.WARN, {"changes": len(changes)})
