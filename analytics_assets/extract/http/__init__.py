"""HTTP: pages fetched with retries, authentication, rate limits and redaction."""
