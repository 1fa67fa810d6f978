"""Marked secrets in every place: loads succeed and fail in each way, and no text has a secret."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import dlt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from analytics_assets.cli.commands.materialize.summary import problems
from analytics_assets.cli.terminal import echo, location
from analytics_assets.config.resource import LOAD_HEALTH
from analytics_assets.extract.source import rest_api_source
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.runs.materializations import plain_metadata
from analytics_assets_tests.project.hostile.secrets.places import MARKED, answer, apis, spellings
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.token_server import private_pem

LOADED = {"shop", "granted"}
REFUSED = {*LOADED, "named", "basic", "keyed", "session", "client", "stock"}
FAILED = {f"{name}__refused" for name in REFUSED}
FAILED |= {f"shop__{name}" for name in ("broken", "page", "away", "failure", "body", "whole")}
FAILED |= {f"{name}__rows" for name in ("described", "basically", "service")}


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All log records of the process, at any level."""
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "DEBUG")  # dlt sets its logger when it is used
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    loggers = [logging.getLogger(name) for name in (None, "dlt", "urllib3", "dagster")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield text
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


def leaks(places: dict[str, bytes], lines_of_key: list[str]) -> list[tuple[str, str]]:
    """Return the secrets that are somewhere, and the places where they are."""
    wanted = {name: set(spellings(secret)) for name, secret in MARKED.items()}
    wanted["private_key"] = set(lines_of_key)
    return [
        (name, place)
        for place, content in places.items()
        for name, forms in wanted.items()
        if any(form.encode() in content for form in forms)
    ]


def files(folder: Path) -> dict[str, bytes]:
    """Return all files but the store of refresh tokens."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in found if "refresh_tokens" not in path.parts}


@pytest.mark.usefixtures("duckdb_warehouse")
@pytest.mark.e2e
def test_no_secret_of_any_place_leaves_its_own_store(
    clean_place: Path,
    key: rsa.RSAPrivateKey,
    logs: io.StringIO,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATASET_NAME", "")
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")
    pem = private_pem(key, MARKED["private_key_passphrase"])
    lines = pem.splitlines()[1:-1]
    (clean_place / "history").mkdir()
    with (
        Server(answer) as server,
        dg.DagsterInstance.local_temp(str(clean_place / "history")) as instance,
    ):
        described = apis(server.port, pem, monkeypatch)
        definitions = dg.Definitions.merge(*map(build_definitions, described))
        keys = definitions.resolve_asset_graph().executable_asset_keys
        result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            # one of the tables with the errors of loads
            asset_selection=[
                key for key in keys if key.path[-1] != LOAD_HEALTH or "shop" in key.path
            ],
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "DEBUG"}}}},
        )
        for api in described:
            echo(location(api))
        for _, line in problems([result]):
            echo(line)
        # dlt's own pipeline, whose trace stays in its folder
        pipeline = dlt.pipeline("own", pipelines_dir=str(clean_place / "own"))
        with pytest.raises(Exception, match="refused"):
            pipeline.run(rest_api_source(described[0].config, "shop").with_resources("refused"))
    specs = [spec for api in described for spec in build_definitions(api).resolve_all_asset_specs()]
    shown = "".join(f"{spec.key} {spec.description} {dict(spec.metadata)}" for spec in specs)

    loaded = [
        event.asset_key
        for event in result.get_asset_materialization_events()
        if event.asset_key and plain_metadata(event.step_materialization_data.materialization)
    ]
    assert {asset.path[0] for asset in loaded if asset.path[-1] != LOAD_HEALTH} == LOADED
    assert {event.step_key for event in result.get_step_failure_events()} >= FAILED
    sent = "\n".join(
        f"{each.path} {each.query} {each.headers} {each.text}" for each in server.requests
    )
    unsent = {"private_key_passphrase", "password of the warehouse", "issued token"}
    unsent |= {"password of token_url", "rotated refresh token"}
    for name in MARKED.keys() - unsent:
        assert any(form in sent for form in spellings(MARKED[name])), name
    outputs = capfd.readouterr()
    places = {**files(clean_place), "stdout": outputs.out.encode(), "stderr": outputs.err.encode()}
    places |= {"logs": logs.getvalue().encode(), "definitions": shown.encode()}
    assert "***" in logs.getvalue()
    assert any(name.endswith(".db") for name in places)
    assert leaks(places, lines) == []
