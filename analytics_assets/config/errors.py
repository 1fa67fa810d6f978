"""The one root of the errors this project raises itself."""


class AnalyticsAssetsError(Exception):
    """Something the user can mend.

    The message is a sentence or two that says what happened, where (API, resource, offset,
    setting) and what to do. It never holds a secret. Each room derives its own classes.
    """


def without_name(error: BaseException | str, resource: str) -> str:
    """Return what an error says; one found while reading begins with the resource's name.

    Example:
        >>> without_name(ValueError("orders: no rows"), "orders")
        'no rows'
    """
    return str(error).removeprefix(f"{resource}: ")


def find_cause(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """Return the first error of `kind` in the chain of causes that led to `error`.

    dlt wraps whatever is raised in a resource into its own errors; the one that says what to do
    is further down the chain.

    Args:
        error: the error that was caught.
        kind: the class to look for.

    Returns:
        The error found, `error` itself included, or None.

    Example:
        >>> try:
        ...     raise ValueError("outer") from KeyError("inner")
        ... except ValueError as caught:
        ...     find_cause(caught, KeyError)
        KeyError('inner')
    """
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        if isinstance(current, kind):
            return current
        seen.add(id(current))
        current = current.__cause__ or current.__context__
    return None
