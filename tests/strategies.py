"""Flags of every shape that the rules accept, for property tests."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from controlplane.domain.feature import Feature
from controlplane.domain.flag import Flag, Operation, Operator, Rule, Side
from controlplane.domain.guardrail_rules import QUANTILES
from controlplane.domain.guardrails import Compare, Guardrails, OnBreach, OnSilence, Scope, Silence
from controlplane.domain.plan import Plan, Stage
from controlplane.domain.routing import Breaker, BreakerMode, Mode, Retry, Switches
from controlplane.domain.routing_rules import BREAKER_RANGES, RETRY_RANGES, broken_routing
from controlplane.domain.share import FULL

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,9}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
SHARES = st.integers(0, FULL)

RULES = st.builds(
    Rule,
    TEXTS.filter(bool),
    st.sampled_from(Operator),
    st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
    st.sampled_from(Side),
)
SILENCES = st.builds(Silence, *[st.sampled_from(OnSilence)] * 3)
COMPARES = st.builds(
    Compare,
    st.floats(1, 100),
    st.floats(0, 1, exclude_max=True),
    st.floats(1, 100),
    *[st.floats(1e-9, 0.2)] * 2,
    st.none() | st.floats(1e-9, 0.2),
)
LATENCIES = st.dictionaries(st.sampled_from(QUANTILES), st.floats(0.001, 600_000), max_size=3)
GUARDRAILS = st.builds(
    Guardrails,
    window_seconds=st.integers(10, 86_400),
    min_samples=st.integers(0, 10**9),
    max_error_rate=st.none() | st.floats(1e-6, 0.999),
    max_latency_ms=LATENCIES,
    compare=st.none() | COMPARES,
    on_breach=st.sampled_from(OnBreach),
    on_silence=SILENCES,
    rollback_scope=st.sampled_from(Scope),
    design_effect=st.none() | st.floats(1, 1000),
).filter(lambda each: each.tests_something)
OVERRIDES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "min_samples": st.integers(0, 1000),
        "max_error_rate": st.none() | st.floats(1e-6, 0.999),
        "max_latency_ms": LATENCIES,
        "compare": st.none() | st.fixed_dictionaries({}, optional={"alpha": st.floats(1e-9, 0.2)}),
        "on_silence": st.fixed_dictionaries({}, optional={"too_few": st.sampled_from(OnSilence)}),
        "on_breach": st.sampled_from(OnBreach),
        "design_effect": st.none() | st.floats(1, 1000),
    },
)
SWITCHES = st.builds(Switches, *[st.booleans()] * 5)
_COUNTS = ("min_calls", "consecutive", "attempts")


def _written(least: float, most: float, *, whole: bool) -> st.SearchStrategy[float | None]:
    return st.none() | (st.integers(int(least), int(most)) if whole else st.floats(least, most))


BREAKERS = st.builds(
    Breaker,
    mode=st.none() | st.sampled_from(BreakerMode),
    **{name: _written(*span, whole=name in _COUNTS) for name, span in BREAKER_RANGES.items()},
)
RETRIES = st.builds(Retry, **{name: _written(*span, whole=name in _COUNTS) for name, span in RETRY_RANGES.items()})


def operations(overrides: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Operation]:
    routed = st.builds(
        Operation,
        SHARES,
        st.sampled_from(Mode),
        shadow_share=st.none() | SHARES,
        breaker=BREAKERS,
        retry=RETRIES,
        guardrails=overrides,
    )
    return routed.filter(lambda each: not any(broken_routing("o", each)))


@st.composite
def plans(draw: st.DrawFn, operations: tuple[str, ...] = ()) -> Plan:
    shares = sorted(draw(st.sets(st.integers(1, FULL), min_size=1, max_size=5)))
    bakes = st.timedeltas(timedelta(0), timedelta(days=366))
    named = draw(st.lists(st.sampled_from(operations), unique=True)) if operations else []
    return Plan(tuple(Stage(share, draw(bakes), draw(st.booleans())) for share in shares), tuple(named))


@st.composite
def flags(draw: st.DrawFn) -> Flag:
    baseline, candidate = draw(st.lists(NAMES, min_size=2, max_size=2, unique=True))
    guardrails = draw(st.none() | GUARDRAILS)
    overrides = OVERRIDES if guardrails else st.just({})
    named = draw(st.dictionaries(NAMES, operations(overrides), max_size=4))
    assume(
        all(guardrails.overridden(each.guardrails).tests_something for each in named.values()) if guardrails else True
    )
    return Flag(
        key=draw(NAMES),
        baseline=baseline,
        candidate=candidate,
        description=draw(TEXTS),
        owner=draw(TEXTS),
        tags=tuple(draw(st.lists(TEXTS, unique=True, max_size=3))),
        enabled=draw(st.booleans()),
        switches=draw(SWITCHES),
        operations=named,
        rules=tuple(draw(st.lists(RULES, max_size=3))),
        guardrails=guardrails,
        plan=draw(st.none() | plans(tuple(named))),
    )


JSON_NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = (
    st.booleans(),
    TEXTS,
    JSON_NUMBERS,
    st.dictionaries(TEXTS, st.none() | st.booleans() | TEXTS | JSON_NUMBERS, max_size=3),
)
ATTRIBUTES = ("tier", "age", "version", "tags", "targetingKey")
_VARS = st.sampled_from(ATTRIBUTES).map(lambda name: {"var": name})
_OPERANDS = _VARS | st.sampled_from(["pro", "free", "1.2.3"]) | st.integers(-3, 120) | st.none() | st.booleans()
_COMPARED = st.tuples(st.sampled_from(["==", "===", "!=", "!==", "in"]), _OPERANDS, _OPERANDS) | st.tuples(
    st.sampled_from(["<", "<=", ">", ">="]), _VARS, st.integers(-3, 120)
)
_LOOKED_AT = st.one_of(
    _COMPARED.map(lambda told: {told[0]: [told[1], told[2]]}),
    st.tuples(st.sampled_from(["starts_with", "ends_with"]), _VARS, TEXTS).map(
        lambda told: {told[0]: [told[1], told[2]]}
    ),
    st.tuples(_VARS, st.sampled_from(["=", "^", ">="])).map(lambda told: {"sem_ver": [told[0], told[1], "1.2.0"]}),
    st.sampled_from(["some", "all", "none"]).map(lambda name: {name: [{"var": "tags"}, {"==": [{"var": ""}, "a"]}]}),
)
CONDITIONS = st.recursive(
    _LOOKED_AT,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)).map(
            lambda told: {told[0]: told[1]}
        ),
        inner.map(lambda told: {"!": [told]}),
    ),
    max_leaves=4,
)


def targetings(variants: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """JsonLogic that comes to one of these variants, or to null."""
    named = st.sampled_from(variants)
    split = st.lists(st.tuples(named, st.integers(0, 1000)), min_size=2, max_size=4).filter(
        lambda told: sum(each for _, each in told) > 0
    )
    splits = split.map(lambda told: {"fractional": [list(each) for each in told]})
    served = st.recursive(
        st.none() | named | splits,
        lambda inner: st.tuples(CONDITIONS, inner, inner).map(lambda told: {"if": list(told)}),
        max_leaves=4,
    )
    return st.tuples(CONDITIONS, served, served).map(lambda told: {"if": list(told)}) | splits


@st.composite
def features(draw: st.DrawFn, *, moved: bool | None = None) -> Flag:
    """A feature, with what a migration has besides where it is moved."""
    names = draw(st.lists(NAMES, min_size=2, max_size=4, unique=True))
    values = draw(st.sampled_from(VALUES))
    feature = Feature({name: draw(values) for name in names}, draw(st.none() | targetings(tuple(names))))
    flag = draw(flags())
    if draw(st.booleans()) if moved is None else moved:
        operations = flag.operations or {"default": Operation(draw(SHARES))}
        return replace(flag, baseline=names[0], candidate=names[1], feature=feature, operations=operations)
    return Flag(
        key=flag.key,
        baseline=names[0],
        candidate="",
        feature=feature,
        description=flag.description,
        owner=flag.owner,
        tags=flag.tags,
        enabled=flag.enabled,
        switches=flag.switches,
    )
