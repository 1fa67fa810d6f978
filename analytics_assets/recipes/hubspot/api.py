"""HubSpot: contacts, companies and deals of its CRM. The token is a setting (README.md).

`companies` is read by the list of all objects, `deals` by a search for what has changed: an entry
for other objects (`tickets`, `products`, ...) is a copy of either.
"""

from datetime import timedelta

import dagster as dg
import dlt

from analytics_assets import Api, Incremental, build_definitions

# the properties to load, of each kind of objects: HubSpot sends those alone that are named
CONTACT = ["email", "firstname", "lastname", "phone", "lifecyclestage", "hubspot_owner_id"]
COMPANY = ["name", "domain", "industry", "country", "hubspot_owner_id"]
DEAL = ["dealname", "amount", "dealstage", "pipeline", "closedate", "hubspot_owner_id"]

# the filters of a search; `Incremental` and the paginator fill in their values
CHANGED = {"propertyName": "hs_lastmodifieddate", "operator": "GTE"}
NEXT = {"propertyName": "hs_object_id", "operator": "GT", "value": "0"}

API = Api(
    name="hubspot",
    file=__file__,
    config={
        "client": {
            "base_url": "https://api.hubapi.com/crm/v3/objects/",
            "auth": {"type": "bearer", "token": dlt.secrets.value},
            "paginator": {
                "type": "cursor",
                "cursor_path": "paging.next.after",
                "cursor_param": "after",
            },
        },
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": "merge",
            "endpoint": {"data_selector": "results"},
        },
        "resources": [
            {
                "name": "contacts",
                "endpoint": {
                    "path": "contacts",
                    "params": {"limit": 100, "properties": ",".join(CONTACT)},
                },
            },
            {
                "name": "companies",
                "endpoint": {
                    "path": "companies",
                    "params": {"limit": 100, "properties": ",".join(COMPANY)},
                },
            },
            {
                "name": "deals",
                "endpoint": {
                    "path": "deals/search",
                    "method": "POST",
                    # after the id of the last row: by `after`, a search ends at 10,000 objects
                    "paginator": {
                        "type": "cursor",
                        "cursor_path": "results[-1].id",
                        "cursor_param": "json.filterGroups[0].filters[1].value",
                        "ignored_fields": ["total", "paging.next"],  # the rest after that row
                    },
                    "json": {
                        "limit": 200,
                        "properties": DEAL,
                        "filterGroups": [{"filters": [CHANGED, NEXT]}],
                        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                    },
                },
            },
            {
                "name": "archived_deals",
                "endpoint": {
                    "path": "deals",
                    "params": {"limit": 100, "archived": "true", "properties": ",".join(DEAL)},
                },
            },
        ],
    },
    default_policy={"date_column": None},
    policies={
        "contacts": {
            "description": "Contacts; those that were archived or deleted leave the table.",
            "prune": True,
            "sensitive": ["email", "firstname", "lastname", "phone"],
        },
        "companies": {
            "description": "Companies; those that were archived or deleted leave the table.",
            "prune": True,
        },
        "deals": {
            "description": "Deals, archived ones as well: those are in `archived_deals`, too.",
            "load": Incremental(
                param="json.filterGroups[0].filters[0].value",
                field="updatedAt",
                initial_value="2026-01-01T00:00:00Z",  # the first change to load
                format="epoch_milliseconds",
                as_text=True,
                lookback=timedelta(days=1),  # a search finds changes after a while
            ),
        },
        "archived_deals": {"description": "Deals in the archive, and since when."},
    },
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
