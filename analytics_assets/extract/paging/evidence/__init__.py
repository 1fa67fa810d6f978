"""The evidence in a page for or against the end of a read."""
