"""The warehouse: destination, pipeline, locks, tables and history."""
