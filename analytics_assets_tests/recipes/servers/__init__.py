"""A server for each recipe, which behaves as the vendor's public documentation says."""
