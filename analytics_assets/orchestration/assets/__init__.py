"""Assets: one per resource, materialized by dlt."""
