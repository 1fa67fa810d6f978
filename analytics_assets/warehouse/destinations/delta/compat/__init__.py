"""dlt's clients of the destination `filesystem`, for Delta tables that are loaded as others are.

Version: dlt 1.31.0, whose modules below `dlt.destinations.impl` are private. `test_compat.py` fails
once one of the defects is gone.
"""
