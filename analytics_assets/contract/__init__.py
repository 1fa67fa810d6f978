"""What a row of a resource must be, read from the API's OpenAPI document; no HTTP, no Dagster."""

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract, contract_of
from analytics_assets.contract.drift import drift
from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.validation import Checked, Rejection, RowCheck

__all__ = [
    "Checked",
    "Column",
    "Contract",
    "ContractError",
    "Rejection",
    "RowCheck",
    "contract_of",
    "drift",
]
