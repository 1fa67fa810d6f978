"""Every resource of an analytics REST API as a Dagster asset, loaded into a warehouse by dlt."""
