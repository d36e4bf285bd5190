"""How do the peers decide? Each set up as its documentation says, without a network, with its events off.

`until` closes what they started; `folder` lives as long.
"""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.our_client import PERCENT

Decide = Callable[[str, str], bool]  # flag and key


def launchdarkly(flags: int, folder: Path, until: ExitStack) -> Decide:
    from ldclient import Context

    client = launchdarkly_client(flags, folder, until)
    return lambda flag, key: bool(client.variation(flag, Context.create(key), False))


def launchdarkly_client(flags: int, folder: Path, until: ExitStack):
    from ldclient import Config, LDClient
    from ldclient.integrations import Files

    path = folder / "launchdarkly.json"
    path.write_text(json.dumps({"flags": launchdarkly_flags(flags)}))
    source = Files.new_data_source(paths=[str(path)])
    client = LDClient(Config("sdk-key", update_processor_class=source, send_events=False))
    until.callback(client.close)
    assert client.is_initialized()
    return client


def launchdarkly_flags(flags: int) -> dict:
    """Booleans; one migration whose new side alone gets the same share; and one in its stage `shadow`.

    Not the stage `live`, which reads both sides: it would be held against calls of ours that read one.
    """
    found = {f"flag-{number}": _launchdarkly_flag(f"flag-{number}", [False, True]) for number in range(flags)}
    found["migration"] = _launchdarkly_flag("migration", ["off", "complete"])
    found["shadowed"] = _launchdarkly_flag("shadowed", ["shadow", "shadow"])
    return found


def launchdarkly_read(
    folder: Path, until: ExitStack, old: Callable, new: Callable
) -> Callable[[str, str, object], object]:
    """`Migrator.read` of a flag by key and payload, with its defaults: both sides at a time, latency and errors on."""
    from ldclient import Context, Result, Stage
    from ldclient.migrations import MigratorBuilder

    builder = MigratorBuilder(launchdarkly_client(1, folder, until))
    builder.read(lambda payload: Result.success(old(payload)), lambda payload: Result.success(new(payload)))
    builder.write(lambda payload: Result.success(old(payload)), lambda payload: Result.success(new(payload)))
    migrator = builder.build()
    assert not isinstance(migrator, str), migrator
    return lambda flag, key, payload: migrator.read(flag, Context.create(key), Stage.OFF, payload)


def _launchdarkly_flag(key: str, variations: list) -> dict:
    weights = [{"variation": 0, "weight": 100_000 - PERCENT * 1000}, {"variation": 1, "weight": PERCENT * 1000}]
    return {
        "key": key,
        "version": 1,
        "on": True,
        "salt": key,
        "variations": variations,
        "offVariation": 0,
        "fallthrough": {"rollout": {"variations": weights}},
        "targets": [],
        "rules": [],
        "prerequisites": [],
    }


def unleash(flags: int, folder: Path, until: ExitStack) -> Decide:
    from UnleashClient import UnleashClient
    from UnleashClient.cache import FileCache

    cache = FileCache("bench", directory=str(folder))
    cache.bootstrap_from_dict(unleash_features(flags))
    client = UnleashClient(
        "http://127.0.0.1:9/api",
        "bench",
        cache=cache,
        disable_metrics=True,
        disable_registration=True,
        refresh_interval=86_400,
    )
    client.initialize_client(fetch_toggles=False)
    until.callback(client.destroy)
    return lambda flag, key: client.is_enabled(flag, {"userId": key})


def unleash_features(flags: int) -> dict:
    def feature(name: str) -> dict:
        parameters = {"rollout": str(PERCENT), "stickiness": "userId", "groupId": name}
        return {
            "name": name,
            "enabled": True,
            "type": "release",
            "strategies": [{"name": "flexibleRollout", "parameters": parameters, "constraints": []}],
        }

    return {"version": 2, "features": [feature(f"flag-{number}") for number in range(flags)]}


def growthbook(flags: int, folder: Path, until: ExitStack) -> Decide:  # noqa: ARG001 - as the others
    from growthbook import GrowthBook

    book = GrowthBook(features=growthbook_features(flags))

    def decide(flag: str, key: str) -> bool:
        book.set_attributes({"id": key})
        return book.is_on(flag)

    return decide


def growthbook_features(flags: int) -> dict:
    rule = {"force": True, "coverage": PERCENT / 100, "hashAttribute": "id"}
    return {f"flag-{number}": {"defaultValue": False, "rules": [rule]} for number in range(flags)}


def flagd(flags: int, folder: Path, until: ExitStack) -> Decide:
    from openfeature import api
    from openfeature.contrib.provider.flagd import FlagdProvider
    from openfeature.contrib.provider.flagd.config import ResolverType
    from openfeature.evaluation_context import EvaluationContext

    flag = {
        "state": "ENABLED",
        "variants": {"on": True, "off": False},
        "defaultVariant": "off",
        "targeting": {"fractional": [["on", PERCENT], ["off", 100 - PERCENT]]},
    }
    path = folder / "flagd.json"
    path.write_text(json.dumps({"flags": {f"flag-{number}": flag for number in range(flags)}}))
    api.set_provider_and_wait(FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(path)))
    until.callback(api.shutdown)
    client = api.get_client()
    return lambda flag, key: client.get_boolean_value(flag, False, EvaluationContext(key))


PEERS = {
    "GrowthBook, one shared instance": growthbook,
    "LaunchDarkly, file data source": launchdarkly,
    "Unleash, bootstrapped": unleash,
    "flagd in process, through OpenFeature": flagd,
}
