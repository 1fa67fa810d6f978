"""Limits and tokens that processes on several machines share in a PostgreSQL database."""
