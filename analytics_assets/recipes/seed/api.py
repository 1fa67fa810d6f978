"""An API with OAuth2, offsets and rows under `data`: to begin with where there is no recipe.

Addresses and the client's secret are settings, looked up in each run (README.md).
"""

import dagster as dg
import dlt

from analytics_assets import Api, build_definitions

API = Api(
    name="seed",
    file=__file__,
    config={
        "client": {
            "base_url": dlt.config.value,
            "auth": {
                "type": "oauth2",
                "client_id": dlt.secrets.value,
                "client_secret": dlt.secrets.value,
                "token_url": dlt.config.value,
            },
        },
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": "merge",
        },
        "resources": [
            {
                "name": "website_overview",
                "endpoint": {
                    "path": "/v1/website_overview",
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": 100},
                },
            },
            {
                "name": "daily_active_users",
                "endpoint": {
                    "path": "/v1/daily_active_users",
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": 100},
                },
            },
            {
                "name": "traffic_sources",
                "endpoint": {
                    "path": "/v1/traffic_sources",
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": 100},
                },
            },
            # further resources: an entry each
        ],
    },
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
