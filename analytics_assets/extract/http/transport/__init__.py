"""The ways of one request and its answer: libcurl, and the session of requests."""
