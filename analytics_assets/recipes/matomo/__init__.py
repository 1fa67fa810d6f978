"""Reports of a site in Matomo."""
