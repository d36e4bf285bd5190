import subprocess
import sys

import pytest

from throwbar import __main__
from throwbar.explain import UnknownErrorClass, explain_error, main
from throwbar.known_errors import DECIDED, EXACT, LEANING


def test_row_6_an_exception_is_explained_by_its_evidence():
    error = RuntimeError("no answer")
    error.__cause__ = ConnectionRefusedError()

    told = explain_error(error)

    assert told.splitlines() == [
        "RuntimeError",
        "  category    connection",
        "  severity    major",
        "  strategy    backoff_retry",
        "  delivery    not_sent: the backend never saw the call, so any kind of call may be made again",
        "  retryable   yes",
        "  countable   yes: the breaker counts it",
        "  evidence    caused by builtins.ConnectionRefusedError",
    ]


def test_how_long_the_backend_asks_us_to_wait_is_told():
    error = RuntimeError()
    error.retry_after = 2

    assert "retry after 2 s, as the backend asks" in explain_error(error)


@pytest.mark.parametrize("name", ["requests.ConnectionError", "requests.exceptions.ConnectionError"])
def test_a_class_that_does_not_decide_says_what_does(name):
    told = explain_error(name)

    assert told.startswith("requests.exceptions.ConnectionError\n")
    assert "the class alone does not decide: refused while connecting is not_sent, a lost reply is unknown" in told


@pytest.mark.parametrize("error", ["builtins.TimeoutError", "TimeoutError", TimeoutError, TimeoutError()])
def test_a_class_may_be_given_in_every_form(error):
    assert "category    timeout" in explain_error(error)


def test_a_class_that_is_not_installed_is_known_by_name(monkeypatch):
    for name in ("httpx", "grpc"):
        monkeypatch.setitem(sys.modules, name, None)

    assert "category    connection" in explain_error("httpx.ConnectError")
    assert "its code() decides" in explain_error("grpc.RpcError")


def test_every_known_name_can_be_explained(monkeypatch):
    monkeypatch.setattr("throwbar.explain._imported", lambda name: None)

    for name in [*DECIDED, *EXACT, *LEANING]:
        assert name in explain_error(name)


def test_a_name_that_nobody_knows_is_answered_in_one_sentence():
    with pytest.raises(
        UnknownErrorClass, match=r"'nowhere\.Lost' can neither be imported here nor is it known by name"
    ):
        explain_error("nowhere.Lost")


def test_a_module_that_fails_while_it_is_imported_is_one_that_cannot_be(tmp_path, monkeypatch):
    (tmp_path / "falling_over.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(UnknownErrorClass):
        explain_error("falling_over.Lost")


def test_the_command_explains_and_ends_well(capsys):
    assert main(["httpx.ConnectError"]) == 0
    assert "not_sent" in capsys.readouterr().out


def test_the_command_ends_with_two_for_a_name_that_nobody_knows(capsys):
    assert main(["nowhere.Lost"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_package_runs_the_command():
    command = [sys.executable, "-m", "throwbar", "explain-error", "requests.ConnectionError"]

    ran = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "requests.exceptions.ConnectionError" in ran.stdout


@pytest.mark.parametrize("arguments", [[], ["explain"], ["explain-error"], ["explain-error", "a", "b"]])
def test_a_command_line_that_is_not_understood_ends_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        __main__.main(arguments)

    assert ended.value.code == 2
    assert "usage: python -m throwbar" in capsys.readouterr().err


def test_every_command_can_be_loaded_and_helps(capsys):
    for name in __main__.COMMANDS:
        with pytest.raises(SystemExit) as ended:
            __main__.main([name, "--help"])
        assert ended.value.code == 0
        assert f"python -m throwbar {name}" in capsys.readouterr().out
