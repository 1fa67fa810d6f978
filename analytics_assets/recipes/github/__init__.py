"""Repositories of GitHub, and what happens in them."""
