"""An API with OAuth2 and offsets."""
