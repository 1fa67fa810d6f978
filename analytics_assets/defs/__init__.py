"""The user's part of the project: one folder per API."""
