"""Errors of the benchmark."""


class BenchmarkError(RuntimeError):
    """A tool is missing or a load is wrong; the message names it and the reason."""
