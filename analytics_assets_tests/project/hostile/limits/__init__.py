"""Answers and reads without an end."""
