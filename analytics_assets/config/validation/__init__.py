"""Checks of a configuration before anything runs: its structure, entries, paginators and loads."""
