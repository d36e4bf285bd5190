import json

import pytest

import throwbar
from tests.sdk.fake_control_plane import FakeControlPlane, a_document, a_flag, a_share
from throwbar.backup import default_path, write_backup


def a_client(server, backup_file, token="token"):
    return throwbar.Client(
        "http://throwbar.test",
        token,
        poll_interval=3600,
        report_interval=3600,
        backup_file=backup_file,
        transport=server,
    )


@pytest.fixture
def down():
    server = FakeControlPlane()
    server.down = OSError("no route")
    return server


def test_a_restarted_service_without_a_control_plane_decides_from_its_backup(server, down, tmp_path):
    server.document = a_document(7, flags={"orders": a_flag(operations=a_share(100_000))})
    with a_client(server, tmp_path / "backup.json") as before:
        assert before.wait_ready(60)
        before.flush()

    with a_client(down, tmp_path / "backup.json") as after:
        assert after.wait_ready(60)

        decision = after.migration("orders").decide("read", key="k")

        assert (decision.backend, decision.version) == ("new", 7)
        assert after.status().stale


def test_the_backup_lies_in_the_users_cache_directory(server, down, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with a_client(server, None) as client:
        client.wait_ready(60)
        client.flush()

    (path,) = (tmp_path / "throwbar").iterdir()
    assert json.loads(path.read_text()) == server.document
    assert path.stat().st_mode & 0o777 == 0o600
    with a_client(down, None) as same, a_client(down, None, token="another") as other:
        assert same.wait_ready(60)
        assert not other.wait_ready(0.05)


def test_the_name_of_the_backup_gives_no_token_away():
    path = default_path("http://host", "secret-token")

    assert "secret" not in str(path)
    assert path != default_path("http://host", "other-token")
    assert path != default_path("http://other", "secret-token")


def test_without_a_home_there_is_no_backup_and_no_failure(server, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # so it answers where there is no home

    with a_client(server, None) as client:
        assert client.wait_ready(60)
        client.flush()
        assert "no home" in client.status().last_error


def test_switched_off_no_file_is_written(server, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with a_client(server, False) as client:
        client.wait_ready(60)
        client.flush()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\x00\xff", b'{"schema": 2}'])
def test_a_corrupt_backup_is_said_once_and_replaced(server, tmp_path, caplog, content):
    backup = tmp_path / "backup.json"
    backup.write_bytes(content)

    with a_client(server, backup) as client:
        assert client.wait_ready(60)
        client.flush()

    assert [record.message for record in caplog.records if "backup" in record.message and "not read" in record.message]
    assert json.loads(backup.read_text())["version"] == 1


def test_a_backup_that_cannot_be_written_costs_nothing(server, tmp_path, caplog):
    (tmp_path / "backup.json").mkdir()

    with a_client(server, tmp_path / "backup.json") as client:
        assert client.wait_ready(60)
        for version in (2, 3):
            server.document = a_document(version)
            assert client.flush()

        assert client.status().version == 3
        assert "backup" in caplog.text
    assert list(tmp_path.iterdir()) == [tmp_path / "backup.json"]


def test_a_full_disk_leaves_the_old_backup_whole(tmp_path, monkeypatch):
    backup = tmp_path / "backup.json"
    write_backup(backup, b"old")

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)

    with pytest.raises(OSError, match="No space"):
        write_backup(backup, b"new")

    assert backup.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [backup]


def test_a_late_snapshot_does_not_replace_the_backup(server, tmp_path):
    backup = tmp_path / "backup.json"
    write_backup(backup, json.dumps(a_document(9)).encode())

    with a_client(server, backup) as client:
        assert client.wait_ready(60)
        client.flush()

        assert client.status().version == 9
    assert json.loads(backup.read_text())["version"] == 9
