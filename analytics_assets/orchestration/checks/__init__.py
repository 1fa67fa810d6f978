"""Asset checks of loads, tables and partitions."""
