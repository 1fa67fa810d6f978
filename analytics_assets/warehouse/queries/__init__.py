"""Queries on the tables of a warehouse."""
