"""Proofs of complete reads."""
