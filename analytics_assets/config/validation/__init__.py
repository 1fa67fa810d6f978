"""Refusal of what contradicts itself, dlt or this project, before anything runs."""
