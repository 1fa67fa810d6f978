"""Few rows of an endpoint, by one cheap request."""
