"""The probe of an API by a few requests: rows of a page, totals, requests at once."""
