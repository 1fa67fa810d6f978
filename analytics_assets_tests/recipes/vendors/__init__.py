"""Tests of single vendors, beside the scenarios of all."""
