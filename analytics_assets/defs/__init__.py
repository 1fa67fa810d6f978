"""The user's part of the project: a folder per API, and one per mart."""
