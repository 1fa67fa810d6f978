"""Searches of a site in Google Search Console."""
