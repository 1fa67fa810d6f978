"""Time partitions of a resource."""
