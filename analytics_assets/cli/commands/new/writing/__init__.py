"""The text of `api.py` and `defs.yaml`, written from a proposal."""
