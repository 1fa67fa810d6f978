"""Texts for people: numbers with their nouns, and parts of long texts."""
