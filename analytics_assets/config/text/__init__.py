"""Texts of people: numbers with their nouns, parts of long texts, and names of places."""
