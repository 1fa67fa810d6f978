"""Transports of requests and their answers: libcurl, and sessions of requests."""
