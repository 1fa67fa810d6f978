"""The entries that an OpenAPI document proposes, as values."""
