"""The API's description of itself, an OpenAPI 3.1 document."""

from typing import Any

from analytics_assets.sandbox.schemas import ROW_SCHEMAS
from analytics_assets.sandbox.selection import DEFAULT_LIMIT, SORTS


def openapi_document(base_url: str, token_path: str, page_cap: int) -> dict[str, Any]:
    """Describe the API.

    Args:
        base_url: The URL of the API.
        token_path: The path of its token endpoint.
        page_cap: The most rows that a page has.

    Returns:
        The document, ready to be encoded as JSON.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Embedded analytics API",
            "version": "1.0.0",
            "description": "Daily web analytics, by property. Recent days are restated.",
        },
        "servers": [{"url": base_url}],
        "security": [{"oauth2": []}],
        "paths": {f"/v1/{resource}": _path(resource, page_cap) for resource in ROW_SCHEMAS},
        "components": {
            "securitySchemes": {
                "oauth2": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": f"{base_url}{token_path}",
                            "scopes": {},
                        }
                    },
                }
            },
            "schemas": {**dict(ROW_SCHEMAS.values()), "Error": _ERROR},
        },
    }


_ERROR = {
    "type": "object",
    "description": "Why a request was not answered.",
    "properties": {
        "error": {
            "type": "object",
            "description": "The error.",
            "properties": {
                "code": {"type": "string", "description": "The kind of error, for programs."},
                "message": {"type": "string", "description": "What went wrong, for people."},
            },
            "required": ["code", "message"],
        }
    },
    "required": ["error"],
}


def _path(resource: str, page_cap: int) -> dict[str, Any]:
    schema_name, schema = ROW_SCHEMAS[resource]
    return {
        "get": {
            "operationId": f"list_{resource}",
            "summary": schema["description"],
            "parameters": _parameters(page_cap),
            "responses": {
                "200": {
                    "description": "A page of rows.",
                    "content": {"application/json": {"schema": _page_schema(schema_name)}},
                },
                "400": _error("A parameter is malformed."),
                "401": _error("The access token is missing, expired or revoked."),
            },
        }
    }


def _page_schema(schema_name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "data": {
                "type": "array",
                "description": "The rows of the page.",
                "items": {"$ref": f"#/components/schemas/{schema_name}"},
            },
            "total": {
                "type": "integer",
                "minimum": 0,
                "description": "How many rows there are on all pages together.",
            },
        },
        "required": ["data", "total"],
    }


def _parameters(page_cap: int) -> list[dict[str, Any]]:
    day = {"type": "string", "format": "date"}
    return [
        _parameter("offset", {"type": "integer", "minimum": 0, "default": 0}, "Rows to leave out."),
        _parameter(
            "limit",
            {"type": "integer", "minimum": 1, "default": min(DEFAULT_LIMIT, page_cap)},
            f"Rows to give; a page has at most {page_cap}.",
        ),
        _parameter("start_date", day, "The first date wanted."),
        _parameter("end_date", day, "The last date wanted."),
        _parameter(
            "updated_since",
            {"type": "string", "format": "date-time"},
            "The earliest updated_at wanted.",
        ),
        _parameter(
            "sort",
            {"type": "string", "enum": list(SORTS)},
            "The field to sort by, the latest first after a -; date and id if absent.",
        ),
    ]


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }


def _error(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
