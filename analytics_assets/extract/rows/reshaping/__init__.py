"""Rows made of what the API sends: of objects whose keys are data, and of arrays with headers."""
