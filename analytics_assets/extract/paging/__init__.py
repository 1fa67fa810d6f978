"""Pagination, and the proof that a read is complete."""
