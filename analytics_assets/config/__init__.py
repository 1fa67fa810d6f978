"""The vocabulary of `api.py`: APIs, policies, loads and settings, validated."""
