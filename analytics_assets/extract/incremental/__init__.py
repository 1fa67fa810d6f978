"""Incremental cursors and time windows."""
