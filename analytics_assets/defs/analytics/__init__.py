"""The analytics API."""
