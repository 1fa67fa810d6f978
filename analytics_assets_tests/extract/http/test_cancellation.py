import threading
import time

from analytics_assets.extract.http.cancellation import CancelScope, ReadCancelledError, sleep


def test_a_sleep_ends_when_its_scope_is_cancelled() -> None:
    scope, waits = CancelScope(), threading.Event()
    errors: list[Exception] = []

    def work() -> None:
        with scope.entered():
            waits.set()
            try:
                sleep(3600)
            except ReadCancelledError as error:
                errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert waits.wait(5)
    scope.cancel()
    thread.join(60)

    assert len(errors) == 1


def test_a_sleep_outside_of_a_scope_is_a_plain_one() -> None:
    started = time.monotonic()
    sleep(0.05)

    assert time.monotonic() - started >= 0.05
