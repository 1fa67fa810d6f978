"""Redaction: the secrets that this process knows are in no text that leaves it."""
