"""Everything that knows Dagster: assets, checks, automation, partitions and runs."""
