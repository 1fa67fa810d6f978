"""Rows that are made of what the API sends."""
