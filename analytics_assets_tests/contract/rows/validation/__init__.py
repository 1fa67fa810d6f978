"""Validation of rows: as the API sends them, and after the steps of an entry."""
