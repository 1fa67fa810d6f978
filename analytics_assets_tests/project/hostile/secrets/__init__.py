"""Secrets in every place, and answers that repeat them."""
