"""The asset `load_health`: a table with a row for each load, and each that failed."""
