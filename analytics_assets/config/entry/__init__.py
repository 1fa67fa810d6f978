"""Parts of an entry that dlt does not have: places in a request, rows, templates, quality."""
