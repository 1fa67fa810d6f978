"""Visitors, pages and events, by Pirsch."""
