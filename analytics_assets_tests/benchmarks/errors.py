"""What can go wrong with the benchmark itself."""


class BenchmarkError(RuntimeError):
    """There is nothing to measure with, or a load went wrong; the message says which and why."""
