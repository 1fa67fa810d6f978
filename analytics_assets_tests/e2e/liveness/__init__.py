"""Runs that overlap, and those whose process is killed or asked to end."""
