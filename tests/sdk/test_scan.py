"""Where a sample service uses its flags."""

import json
import textwrap

import pytest

from throwbar import scan
from throwbar.call_sites import find
from throwbar.registered_flags import FlagsNotTold, ask

SERVICE = {
    "app/__init__.py": "",
    "app/flags.py": """\
        import throwbar

        ECHO = "echo"
        client = throwbar.Client()
        bridge = client.migration("dspex-bridge", baseline="python_pool_v2")
        """,
    "app/bridge.py": """\
        import os
        from app.flags import ECHO, bridge as the_bridge
        from app import flags
        from .new import new_echo

        predict = the_bridge.operation("simple_predict", kind="read")

        @predict.baseline
        def old_predict(text): ...

        @predict.candidate
        def new_predict(text): ...

        @the_bridge.route(ECHO, candidate=new_echo)
        def echo(text): ...

        def totals(rows):
            with flags.bridge.attempt("totals", key=rows) as attempt:
                return attempt.candidate

        half = flags.bridge.operation(name="half_done")
        half.baseline(old_predict)

        by_environment = flags.bridge.operation(os.environ["OPERATION"])
        """,
    "app/orders.py": """\
        from __future__ import annotations
        import throwbar

        class Orders:
            def total(self):
                return self.flag.decide("total").candidate

            def __init__(self, client: throwbar.Client, name):
                self.flag = client.migration("orders")
                self.other = client.migration(name)

        def by_hand(migration: throwbar.Migration):
            return migration.decide("by_hand")

        def inline():
            return throwbar.Client().migration("inline").decide("now")
        """,
    "app/web.py": """\
        from flask import Flask
        app = Flask(__name__)

        @app.route("/echo")
        def echo(): ...

        class Database:
            def migration(self, name):
                return self.migration(name + 1)
        """,
    "app/old.py": "KEYS = ['dspex-bridge', 'orders']\n",
    "app/broken.py": "def half(:\n",
    ".venv/lib/python3.11/site-packages/other.py": "import throwbar\nthrowbar.Client().migration('not-ours')\n",
}


@pytest.fixture
def service(tmp_path):
    for name, text in SERVICE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return tmp_path


def of(found, service):
    return {
        (site.file.removeprefix(f"{service}/"), site.line, site.call, site.flag, site.operation) for site in found.sites
    }


def test_row_5_every_use_is_found_with_its_place_also_through_assignments_and_imports(service):
    assert of(find([service]), service) == {
        ("app/flags.py", 5, "migration", "dspex-bridge", None),
        ("app/bridge.py", 6, "operation", "dspex-bridge", "simple_predict"),
        ("app/bridge.py", 14, "route", "dspex-bridge", "echo"),
        ("app/bridge.py", 18, "attempt", "dspex-bridge", "totals"),
        ("app/bridge.py", 21, "operation", "dspex-bridge", "half_done"),
        ("app/bridge.py", 24, "operation", "dspex-bridge", None),
        ("app/orders.py", 6, "decide", "orders", "total"),
        ("app/orders.py", 9, "migration", "orders", None),
        ("app/orders.py", 10, "migration", None, None),
        ("app/orders.py", 13, "decide", None, "by_hand"),
        ("app/orders.py", 16, "migration", "inline", None),
        ("app/orders.py", 16, "decide", "inline", "now"),
    }


@pytest.mark.parametrize("part", ["app", "app/orders.py"])
def test_a_package_or_a_single_file_is_scanned_alike(service, part):
    assert ("app/orders.py", 6, "decide", "orders", "total") in of(find([service / part]), service)


def test_the_functions_behind_an_operation_are_named_the_baseline_above_all(service):
    sides = {site.operation: (site.baseline, site.candidate) for site in find([service]).sites if site.operation}

    assert sides["simple_predict"] == ("old_predict:9", "new_predict:12")
    assert sides["echo"] == ("echo:15", "new_echo")
    assert sides["half_done"] == ("old_predict:22", "")


def test_a_name_with_two_values_is_told_as_dynamic_and_not_guessed(tmp_path):
    (tmp_path / "one.py").write_text(
        "import throwbar\nname = 'a'\nname = 'b'\nbridge = throwbar.Client().migration('x')\nbridge.decide(name)\n"
    )

    (site,) = (site for site in find([tmp_path]).sites if site.call == "decide")

    assert site.dynamic


def test_assignments_in_a_circle_are_not_followed_for_ever(tmp_path):
    (tmp_path / "one.py").write_text("from two import b as a\na.decide('x')\n")
    (tmp_path / "two.py").write_text("from one import a as b\nc = d = c\nd.decide('x')\n")

    assert find([tmp_path]).sites == ()


def test_row_34_a_completed_flag_that_is_still_used_fails_the_scan(service, capsys):
    assert scan.main([str(service), "--completed", "inline"]) == 1

    told = capsys.readouterr().out
    assert "completed flags that are still used:\n" in told
    assert f"  {service}/app/orders.py:16: inline\n" in told
    assert scan.main([str(service), "--completed", "gone"]) == 0


def test_the_bare_key_of_a_completed_flag_counts_as_a_use(service, capsys):
    code = scan.main([str(service), "--completed", "orders", "--json"])

    document = json.loads(capsys.readouterr().out)
    assert code == 1
    assert (f"{service}/app/old.py", 1) in {(each["file"], each["line"]) for each in document["completed"]}


def test_row_5_dynamic_names_half_registered_operations_and_unread_files_are_told(service, capsys):
    scan.main([str(service), "--json"])

    document = json.loads(capsys.readouterr().out)
    assert {(each["file"].rpartition("/")[2], each["line"]) for each in document["dynamic"]} == {
        ("bridge.py", 24),
        ("orders.py", 10),
        ("orders.py", 13),
    }
    assert ("half_done", "no candidate function is registered in what was scanned") in {
        (each["operation"], each["why"]) for each in document["unregistered"]
    }
    assert [each["file"].rpartition("/")[2] for each in document["unread"]] == ["broken.py"]


def test_the_text_for_people_names_place_flag_and_functions(service, capsys):
    scan.main([str(service / "app" / "bridge.py"), str(service / "app" / "flags.py")])

    told = capsys.readouterr().out
    assert f"{service}/app/flags.py:5: migration dspex-bridge\n" in told


class Flags:
    """The management API's list of flags, two to a page."""

    def __init__(self, *flags):
        self.flags = flags

    def __call__(self, method, path, headers, body, timeout):
        assert headers["Authorization"] == "Bearer admin"
        wanted = [flag for flag in self.flags if bool(flag.get("archived_at")) is ("archived=true" in path)]
        if "after=b" in path:
            return 200, {}, json.dumps({"items": wanted[2:], "next": None}).encode()
        following = "b" if len(wanted) > 2 else None
        return 200, {}, json.dumps({"items": wanted[:2], "next": following}).encode()


def test_the_control_plane_tells_what_is_registered_completed_and_archived():
    server = Flags(
        {"key": "a", "operations": {"x": {}}, "rollout": {"state": "idle"}},
        {"key": "b", "operations": {}, "rollout": {"state": "completed"}},
        {"key": "c", "operations": {}, "rollout": {"state": "running"}},
        {"key": "d", "operations": {}, "archived_at": "2026-01-01T00:00:00Z"},
        {"key": "e", "operations": {}, "rollout": {"state": "finished"}},
    )

    told = ask("http://throwbar.test", "admin", "production", server)

    assert set(told.operations) == {"a", "b", "c", "d", "e"}
    assert told.operations["a"] == {"x"}
    assert told.completed == {"b", "d", "e"}


@pytest.mark.parametrize("answer", [(403, b""), (200, b"<html>"), (200, b"[]"), (200, b'{"items": 1}')])
def test_an_answer_without_flags_is_told_as_such(answer):
    with pytest.raises(FlagsNotTold):
        ask("http://throwbar.test", "admin", "production", lambda *_: (answer[0], {}, answer[1]))


@pytest.mark.parametrize(
    "arguments", [["nowhere"], [], [".", "--url", "http://x"], [".", "--token", "t"]], ids=" ".join
)
def test_wrong_use_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        scan.main(arguments)

    assert refused.value.code == 2


def test_a_control_plane_that_cannot_be_asked_fails_the_scan(tmp_path, capsys):
    assert scan.main([str(tmp_path), "--url", "ftp://x", "--token", "t"]) == 2
    assert "http://" in capsys.readouterr().err
