"""Rows: decoding, validation against the contract, Arrow tables."""
