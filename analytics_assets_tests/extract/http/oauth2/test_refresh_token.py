"""Rotating refresh tokens: each is used once, by this run or the next one."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets.extract.http.oauth2.refresh_token import RefreshTokenGrant
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import settings_for, sign

GRANTED = "granted-once"


@pytest.fixture
def rotating() -> Iterator[Sandbox]:
    """A token endpoint that takes each refresh token only once."""
    with Sandbox(refresh_token=GRANTED, rotate_refresh_tokens=True) as sandbox:
        yield sandbox


def next_run(sandbox: Sandbox, refresh_token: str = GRANTED) -> OAuth2:
    """Make the auth object as a new process would."""
    return OAuth2(settings_for(sandbox, refresh_token=refresh_token))


def test_the_next_run_uses_the_replacement_of_the_last_one(
    rotating: Sandbox,
) -> None:
    headers = {sign(next_run(rotating)) for _ in range(3)}
    assert len(headers) == rotating.tokens.issued == 3


def test_runs_at_the_same_time_do_not_use_a_token_twice(rotating: Sandbox) -> None:
    with ThreadPoolExecutor(8) as threads:
        runs = [next_run(rotating) for _ in range(8)]
        headers = set(threads.map(sign, runs))
    assert len(headers) == rotating.tokens.issued == 8


def test_only_its_owner_can_read_a_kept_token(rotating: Sandbox, tmp_path: Path) -> None:
    sign(next_run(rotating))
    kept = [path for path in (tmp_path / ".dlt/refresh_tokens").iterdir() if path.suffix == ""]
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600]
    assert GRANTED not in str(kept)


def test_a_newly_configured_token_starts_afresh(tmp_path: Path) -> None:
    def granted(token: str) -> RefreshTokenGrant:
        settings = OAuth2Settings()
        settings.refresh_token, settings.refresh_token_dir = token, str(tmp_path)
        return RefreshTokenGrant(settings)

    with granted("old").parameters():
        granted("old").rotate("rotated")
    with granted("old").parameters() as old, granted("new").parameters() as new:
        assert (old["refresh_token"], new["refresh_token"]) == ("rotated", "new")


def test_a_folder_that_cannot_be_written_is_logged_and_fails_nothing(
    rotating: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "folder")
    auth = OAuth2(settings_for(rotating, refresh_token=GRANTED, refresh_token_dir=folder))
    with caplog.at_level(logging.WARNING):
        sign(auth)
    assert f"could not be kept in {folder}" in caplog.text
    rotating.tokens.revoke_all()
    assert GRANTED not in caplog.text
