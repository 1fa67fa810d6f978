"""A mart over the tables of the analytics API: an example to copy, or to delete."""
