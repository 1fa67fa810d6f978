"""The new-data sensor: the changes that an API has, and the runs that load them."""
