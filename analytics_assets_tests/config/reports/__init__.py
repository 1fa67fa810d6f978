"""Tests of the words for reports."""
