"""Validation of rows against a contract."""
