"""Reports of a site in Plausible."""
