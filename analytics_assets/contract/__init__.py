"""Contracts of rows, read from the API's OpenAPI document; without HTTP and Dagster."""
