"""Private behaviour of dlt that the look-up of settings works around."""

from dlt.common.configuration.utils import TraceLogContext


def forget_looked_up_values() -> None:
    """Keep no list of the values that dlt looks up in this process.

    dlt 1.31 keeps each of them, secrets included, in a list for each thread, until a pipeline in it
    begins a trace. A process of Dagster's code location runs no pipeline: its list grows with each
    tick of a sensor. The traces of pipelines, which nothing here reads, have no values then.
    """
    TraceLogContext.logging_enabled = False
