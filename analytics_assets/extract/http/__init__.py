"""HTTP: sessions, retries, authentication, rate limits, prefetching, redaction."""
