"""The component `RestApi`: an API described in YAML, with the words of `api.py`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel, Field

from analytics_assets.orchestration.api_file import COMPONENT, YAML_NAME, api_of, errors_for_dagster
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.redaction.errors import errors_redacted

CONFIGURATION = "docs/configuration.md"
DLT = "https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api/basic"
EXAMPLE = f"""\
# An API as data, by the words of dlt's REST source: {DLT}
# {{{{ dlt.secrets.value }}}} and {{{{ dlt.config.value }}}} are settings, looked up in each run.
type: {COMPONENT}
attributes:
  client:
    base_url: "{{{{ dlt.config.value }}}}"
    # auth: {{type: oauth2}}  # or bearer, api_key, http_basic; needs settings of its own
  resource_defaults:
    primary_key: id
    write_disposition: merge
  resources:
    - name: orders
      endpoint:
        path: /v1/orders
        # data_selector: data
        # paginator: {{type: offset, limit: 100}}
  # policies:
  #   orders:
  #     schedule: "0 7 * * *"
  #     load: {{incremental: {{param: updated_since, initial_value: "2026-01-01T00:00:00Z"}}}}
"""


class RestApiScaffolder(dg.Scaffolder[Any]):
    """Writes a `defs.yaml` whose definitions load."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write the file for `dg scaffold defs analytics_assets.RestApi <folder>`."""
        request.target_path.mkdir(parents=True, exist_ok=True)
        (request.target_path / YAML_NAME).write_text(EXAMPLE, encoding="utf-8")


@dg.scaffold_with(RestApiScaffolder)
class RestApi(dg.Component, dg.Resolvable, dg.Model):
    """A third-party REST API: each resource is an asset, a table that dlt merges.

    The attributes are those of `Api`, and the parts of its `config`; all words are in
    `docs/configuration.md`. Secrets are looked up in each run by dlt's providers, where a value is
    `{{ dlt.secrets.value }}`; `{{ env.NAME }}` is a variable of the environment, which must be set
    wherever definitions load.
    """

    name: Annotated[
        str | None,
        dg.Resolver.default(
            description="Name of the API; its folder's if not given.",
            examples=["shop"],
        ),
    ] = None
    client: Annotated[
        Mapping[str, Any],
        dg.Resolver.default(
            description=f"Base URL, sign-in and headers: `client` of dlt's REST source. {DLT}",
            examples=[{"base_url": "https://shop.example.com", "auth": {"type": "oauth2"}}],
        ),
    ]
    resource_defaults: Annotated[
        Mapping[str, Any],
        dg.Resolver.default(
            description="The parts that entries of `resources` have in common.",
            examples=[{"primary_key": "id", "write_disposition": "merge"}],
        ),
    ] = Field(default_factory=dict)
    templates: Annotated[
        Mapping[str, Any],
        dg.Resolver.default(
            description="Entries with `$words`, which entries of `resources` fill by `template`.",
            examples=[{"report": {"endpoint": {"path": "/reports/$name"}}}],
        ),
    ] = Field(default_factory=dict)
    resources: Annotated[
        Sequence[Any],
        dg.Resolver.default(
            description="An entry per table: a name, or a mapping with `name` and `endpoint`.",
            examples=[[{"name": "orders", "endpoint": {"path": "/v1/orders"}}]],
        ),
    ]
    default_policy: Annotated[
        Mapping[str, Any],
        dg.Resolver.default(
            description=f"Schedule, load and freshness of all resources; see {CONFIGURATION}.",
            examples=[{"schedule": "0 6 * * *", "freshness": "36h"}],
        ),
    ] = Field(default_factory=dict)
    policies: Annotated[
        Mapping[str, Any],
        dg.Resolver.default(
            description="Deviations from `default_policy`, by resource.",
            examples=[{"orders": {"load": {"partitioned": {"by": "day", "start": "2026-01-01"}}}}],
        ),
    ] = Field(default_factory=dict)
    openapi: Annotated[
        str | None,
        dg.Resolver.default(
            description="The API's OpenAPI document, a path below the folder.",
            examples=["openapi.json"],
        ),
    ] = None
    openapi_path: Annotated[
        str | None,
        dg.Resolver.default(
            description="The path at which the API serves that document.",
            examples=["/openapi.json"],
        ),
    ] = None

    @classmethod
    def resolve_from_model(cls, context: dg.ResolutionContext, model: BaseModel) -> "RestApi":
        """Return the component with its templates as they are written: `api_of` renders them.

        Dagster's own resolution evaluates texts: of the client id "0123e4" it makes a number.
        """
        return cls(**model.model_dump(exclude_unset=True))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Build the definitions of the API, without a secret and without a network."""
        given = self.model_dump(exclude_unset=True)
        with errors_redacted(), errors_for_dagster():
            return build_definitions(api_of(given, Path(context.path) / YAML_NAME))
