"""Locks by which loads of one table or file wait for each other."""
