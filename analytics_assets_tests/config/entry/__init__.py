"""Tests of the parts of an entry that dlt does not have."""
