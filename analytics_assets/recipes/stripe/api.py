"""Stripe: payments, invoices, subscriptions and customers. The key is a setting (README.md)."""

from datetime import date, timedelta

import dagster as dg
import dlt

from analytics_assets import Api, Incremental, Partitioned, Window, build_definitions

# objects that Stripe creates on a day, and changes later
BY_DAY = Partitioned(
    by="day",
    start=date(2026, 1, 1),  # the first day to load
    lookback=30,  # days whose objects are read again, as they may have changed since
    window=Window(
        start_param="created[gte]",
        end_param="created[lt]",
        format="epoch_seconds",
        end_is_inclusive=False,
    ),
)
# objects that change for a few days only
SINCE_CREATED = Incremental(
    param="created[gte]",
    field="created",
    initial_value="2026-01-01T00:00:00Z",  # the first moment to load
    lookback=timedelta(days=30),
)
CREATED = {"created": "epoch_seconds"}

API = Api(
    name="stripe",
    file=__file__,
    config={
        "client": {
            "base_url": "https://api.stripe.com/v1/",
            "auth": {"type": "bearer", "token": dlt.secrets.value},
            "headers": {"Stripe-Version": "2025-09-30.clover"},
            "paginator": {
                "type": "cursor",
                "cursor_path": "data[-1].id",
                "cursor_param": "starting_after",
                "has_more_path": "has_more",
            },
        },
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": "merge",
            "columns": {"metadata": {"data_type": "json"}},  # has keys of yours
            "endpoint": {"data_selector": "data", "params": {"limit": 100}},
        },
        "resources": [
            {"name": "charges", "endpoint": {"path": "charges"}},
            {"name": "refunds", "endpoint": {"path": "refunds"}},
            {"name": "balance_transactions", "endpoint": {"path": "balance_transactions"}},
            {"name": "invoices", "endpoint": {"path": "invoices"}},
            {"name": "customers", "endpoint": {"path": "customers"}},
            {
                "name": "subscriptions",
                "endpoint": {"path": "subscriptions", "params": {"status": "all"}},
            },
        ],
    },
    default_policy={"date_column": "created", "time_formats": CREATED},
    policies={
        "charges": {"description": "Payments.", "load": BY_DAY},
        "refunds": {"description": "Refunds of charges.", "load": SINCE_CREATED},
        "balance_transactions": {
            "description": "Each movement of the account's balance, with its fees.",
            "load": SINCE_CREATED,
            "time_formats": {**CREATED, "available_on": "epoch_seconds"},
        },
        "invoices": {
            "description": "Invoices; their first ten lines are in `invoices__lines__data`.",
            "load": BY_DAY,
            "time_formats": {
                **CREATED,
                "due_date": "epoch_seconds",
                "period_start": "epoch_seconds",
                "period_end": "epoch_seconds",
            },
        },
        "customers": {
            "description": "Customers; those that were deleted leave the table.",
            "prune": True,
            "date_column": None,
            "sensitive": ["email", "name", "phone"],
        },
        "subscriptions": {
            "description": "Subscriptions, those that were cancelled as well.",
            "date_column": None,
            "time_formats": {**CREATED, "start_date": "epoch_seconds"},
        },
    },
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
