import inspect

from analytics_assets.orchestration.compat import with_signature


def test_a_signature_is_worked_out_once_and_is_the_functions_own() -> None:
    def function(first: int, *, second: str = "") -> bool:
        return bool(first) and bool(second)

    expected = inspect.signature(function)
    known = with_signature(function)
    assert known is function
    assert inspect.signature(known) == expected
    assert inspect.signature(known) is inspect.signature(known)
