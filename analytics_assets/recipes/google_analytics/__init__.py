"""Reports of a Google Analytics 4 property."""
