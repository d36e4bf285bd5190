"""The secret key: one for all processes, and only ours to read."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from controlplane.settings import Settings, SettingsError
from web.secret_key import FILE, find_secret_key


def test_a_given_key_is_used(sqlite_url) -> None:
    assert find_secret_key(Settings(database_url=sqlite_url, secret_key="k" * 16)) == "k" * 16


def test_a_missing_key_is_made_once_and_only_we_may_read_it(sqlite_url, tmp_path) -> None:
    settings = Settings(database_url=sqlite_url)

    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(find_secret_key, [settings] * 32))

    assert len(keys) == 1
    assert len(keys.pop()) >= 43
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [FILE]


def test_with_postgresql_a_key_must_be_given() -> None:
    with pytest.raises(SettingsError, match="THROWBAR_SECRET_KEY"):
        find_secret_key(Settings(database_url="postgresql+psycopg://db/throwbar"))
