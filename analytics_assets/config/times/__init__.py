"""Timestamps, and spans of time in requests."""
