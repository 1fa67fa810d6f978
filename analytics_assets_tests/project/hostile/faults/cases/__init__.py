"""All cases of faults, by the part of an answer that is wrong."""

from collections.abc import Mapping, Sequence

from analytics_assets_tests.project.hostile.faults.case import Case
from analytics_assets_tests.project.hostile.faults.cases import (
    envelopes,
    network,
    paging,
    statuses,
    tables,
    tokens,
    values,
)

TABLES: Mapping[str, Sequence[Case]] = {
    "Statuses": statuses.CASES,
    "Network": network.CASES,
    "Token endpoint": tokens.CASES,
    "Around the rows": envelopes.CASES,
    "Paging": paging.CASES,
    "Values": values.CASES,
    "Tables": tables.CASES,
}
