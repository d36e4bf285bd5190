import asyncio
from typing import NamedTuple

import pytest

from tests.sdk.fake_control_plane import a_document, a_flag, a_share
from throwbar.adapters import AdapterRegistry
from throwbar.backends import Backend, InitializationFailed
from throwbar.decision import Decision, Reason
from throwbar.errors import ConfigurationError

BASELINE = Decision("python_pool_v2", candidate=False, reason=Reason.SHARE, version=1, flag="bridge", operation="echo")
CANDIDATE = BASELINE._replace(backend="snakepit", candidate=True)

# The worked example: a bridge that was configured for one pool library, and moves to another.
OLD_SCRIPT, NEW_SCRIPT = "priv/python/dspex_bridge.py", "priv/python/dspy_bridge.py"


class SnakepitConfig(NamedTuple):
    python_path: str
    script_path: str
    pool_size: int
    max_overflow: int


def snakepit_config(options):
    """What the old bridge was told, in the words of the new one."""
    script = options.get("script_path")
    return SnakepitConfig(
        options.get("python_path") or "python3",
        NEW_SCRIPT if script in (None, OLD_SCRIPT) else script,
        options.get("pool_size") or 4,
        2 if options.get("overflow") is None else options["overflow"],
    )


class Snakepit:
    def __init__(self, config):
        self.config = config
        self.closed = False

    def execute(self, command, arguments):
        return {"ok": (command, arguments)}

    def close(self):
        self.closed = True


class Made:
    """Factories that note what they made."""

    def __init__(self):
        self.names = []

    def factory(self, name):
        return lambda: self.names.append(name) or name

    def registry(self):
        names = ("python_pool_v2", "snakepit")
        return AdapterRegistry({name: self.factory(name) for name in names}, baseline="python_pool_v2")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ("python3", NEW_SCRIPT, 4, 2)),
        ({"pool_size": 8, "overflow": 0}, ("python3", NEW_SCRIPT, 8, 0)),
        ({"script_path": OLD_SCRIPT}, ("python3", NEW_SCRIPT, 4, 2)),
        ({"script_path": "custom.py", "python_path": "python3.11"}, ("python3.11", "custom.py", 4, 2)),
    ],
)
def test_row_10_the_bridge_is_started_with_its_old_options_in_the_new_words(options, expected):
    registry = AdapterRegistry(
        {"python_pool_v2": dict, "snakepit": lambda: Snakepit(snakepit_config(options))}, baseline="python_pool_v2"
    )

    assert registry.get_adapter(CANDIDATE).config == expected


def test_row_11_a_call_with_an_old_script_path_reaches_the_candidate_with_the_new_one():
    def translate(command, script_path=None, **arguments):
        return (command,), {"arguments": {"script_path": script_path.replace(OLD_SCRIPT, NEW_SCRIPT), **arguments}}

    snakepit = Backend(
        lambda: Snakepit(snakepit_config({})), adapt_args=translate, adapt_result=lambda reply: reply["ok"]
    )

    @snakepit.calling
    def execute(pool, command, arguments):
        return pool.execute(command, arguments)

    assert execute("run", script_path=f"/srv/{OLD_SCRIPT}", text="hello") == (
        "run",
        {"script_path": f"/srv/{NEW_SCRIPT}", "text": "hello"},
    )


def test_row_23_an_adapter_is_made_on_demand_and_once():
    made = Made()
    registry = made.registry()

    assert made.names == []
    assert [registry.get_adapter(CANDIDATE) for _ in range(3)] == ["snakepit"] * 3
    assert made.names == ["snakepit"]
    assert asyncio.run(registry.aget_adapter(BASELINE)) == "python_pool_v2"


def test_row_23_the_candidate_is_never_made_while_its_share_is_0(client, server):
    made = Made()
    registry = made.registry()
    flag = a_flag(baseline="python_pool_v2", candidate="snakepit", operations=a_share(0))
    server.document = a_document(flags={"bridge": flag})
    bridge = client.migration("bridge")
    adapters_at_first = {registry.get_adapter(bridge.decide("read", key="before the snapshot"))}
    assert client.wait_ready(20)

    adapters = {registry.get_adapter(bridge.decide("read", key=str(number))) for number in range(10_000)}
    at_zero = list(made.names)
    server.document = a_document(version=2, flags={"bridge": flag | {"operations": a_share(100_000)}})
    assert client.flush(20)

    assert (adapters_at_first, adapters, at_zero) == ({"python_pool_v2"}, {"python_pool_v2"}, ["python_pool_v2"])
    assert registry.get_adapter(bridge.decide("read", key="s")) == "snakepit"


def test_the_baseline_is_found_under_whatever_name_the_control_plane_gives_it():
    registry = Made().registry()

    for name in ("baseline", "renamed", "snakepit"):
        assert registry.get_adapter(BASELINE._replace(backend=name)) == "python_pool_v2"


def test_a_candidate_that_nobody_registered_fails_before_anything_is_sent():
    with pytest.raises(InitializationFailed, match="'snakepit3'"):
        Made().registry().get_adapter(CANDIDATE._replace(backend="snakepit3"))


def test_closing_ends_what_was_made_and_makes_nothing():
    made = Made()
    registry = AdapterRegistry(
        {"python_pool_v2": made.factory("python_pool_v2"), "snakepit": lambda: Snakepit(None)},
        baseline="python_pool_v2",
    )
    with registry:
        pool = registry.get_adapter(CANDIDATE)

    asyncio.run(registry.aclose())

    assert pool.closed
    assert made.names == []
    assert not registry["snakepit"].made


def test_a_registry_without_its_baseline_is_refused():
    with pytest.raises(ConfigurationError, match="python_pool_v2"):
        AdapterRegistry({"snakepit": dict}, baseline="python_pool_v2")
