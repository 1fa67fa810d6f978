"""Log records and errors of all packages, without secrets."""

import io
import logging
import traceback
from collections.abc import Iterator

import dagster as dg
import pytest

from analytics_assets.redaction.errors import RedactedError, errors_redacted
from analytics_assets.redaction.redactor import redact

SECRET = "hunter2-Secret"


@pytest.fixture(autouse=True)
def known() -> None:
    redact.add(SECRET)


@pytest.fixture(params=["", "urllib3.connectionpool", "dlt", "somebody.else"])
def logged(request: pytest.FixtureRequest) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    logger, text = logging.getLogger(request.param), io.StringIO()
    handler, level = logging.StreamHandler(text), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield logger, text
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_a_record_of_any_logger_has_no_secret(
    logged: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, text = logged
    logger.debug('"GET /orders?key=%s HTTP/1.1" %d', SECRET, 200)
    logger.warning(f"with {SECRET}")
    logger.error("with %(key)s", {"key": SECRET})
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("it failed")
    assert SECRET not in text.getvalue()
    assert '"GET /orders?key=*** HTTP/1.1" 200' in text.getvalue()
    assert "ValueError: ***" in text.getvalue()
    assert "Traceback (most recent call last)" in text.getvalue()


def test_a_record_without_a_secret_is_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("shop").warning("%s of %d", "one", 2)
    assert caplog.records[0].args == ("one", 2)
    assert caplog.records[0].msg == "%s of %d"


def test_the_log_of_a_run_has_no_secret(instance: dg.DagsterInstance) -> None:
    @dg.op
    def logs(context: dg.OpExecutionContext) -> None:
        context.log.info(f"with {SECRET}")

    @dg.job
    def job() -> None:
        logs()

    result = job.execute_in_process(instance=instance)
    entries = [str(entry) for entry in instance.all_logs(result.run_id)]
    assert any("with ***" in entry for entry in entries)
    assert not any(SECRET in entry for entry in entries)


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def test_an_error_with_a_secret_is_replaced_by_its_traceback_without_it() -> None:
    def fail() -> None:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise KeyError(SECRET) from error

    said = r"\AKeyError: '\*\*\*'\n\nTraceback"
    with pytest.raises(RedactedError, match=said) as failure, errors_redacted():
        fail()
    assert SECRET not in shown(failure.value)
    assert "ValueError: ***" in str(failure.value)


def test_a_secret_in_a_line_of_code_is_not_in_a_traceback() -> None:
    with pytest.raises(RedactedError) as failure, errors_redacted():
        {"key": "hunter2-Secret"}["other"]
    assert SECRET not in shown(failure.value)


def test_an_error_without_a_secret_is_the_same() -> None:
    error = ValueError("nothing")
    with pytest.raises(ValueError, match="nothing") as failure, errors_redacted():
        raise error
    assert failure.value is error
