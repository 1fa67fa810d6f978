"""Contracts of rows, read from the API's OpenAPI document; without HTTP and Dagster."""

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract, contract_of
from analytics_assets.contract.drift import drift
from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.validation import Rejection, RowValidator, ValidatedPage

__all__ = [
    "Column",
    "Contract",
    "ContractError",
    "Rejection",
    "RowValidator",
    "ValidatedPage",
    "contract_of",
    "drift",
]
