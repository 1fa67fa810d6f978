"""Rows in columns: their types, and their JSON as Arrow arrays."""
