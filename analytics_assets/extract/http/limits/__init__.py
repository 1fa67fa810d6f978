"""Limits on requests: rate, quota and concurrency."""
