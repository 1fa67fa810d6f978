"""OAuth2 (RFC 6749, RFC 7523): tokens, grants and refresh token rotation."""
