"""Who is on show? The demo's migration and its neighbours, and what people did to them over the weeks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from controlplane.usecases import flags, freezes, rollouts
from controlplane.usecases.changing import Place
from scripts.exhibit import ANN, BEN, DAY, ENVIRONMENT, Migration, Past, Traffic

WEEK = 7 * DAY


def _do(verb: Callable[..., object], who: str, why: str = "") -> Callable[[Past, Place], object]:
    return lambda past, place: verb(past.store, place, past.cause(who, why))


def _set(operation: str, percent: float, who: str, why: str) -> Callable[[Past, Place], object]:
    def do(past: Past, place: Place) -> object:
        return flags.set_operation(past.store, place, operation, {"percent": percent}, past.cause(who, why))

    return do


def _freeze(past: Past, _place: Place) -> object:
    begin = past.until + timedelta(days=19)
    wanted = {
        "name": "End of the year",
        "starts_at": begin.isoformat(),
        "ends_at": (begin + timedelta(days=12)).isoformat(),
    }
    return freezes.add_freeze(past.store, ENVIRONMENT, wanted, past.cause(ANN))


def _flag(  # noqa: PLR0913 - what a flag has
    backends: str,
    description: str,
    owner: str,
    tags: str,
    operations: str,
    *,
    enabled: bool = True,
    plan: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "description": description,
        "owner": owner,
        "tags": tags.split(),
        "baseline": backends.split(maxsplit=1)[0],
        "candidate": backends.split()[1],
        "enabled": enabled,
        "plan": plan,
        "operations": {name: {"percent": 0} for name in operations.split()},
        "guardrails": {"min_samples": 200, "max_error_rate": 0.05, "max_latency_ms": {"p99": 1000}},
    }


def _plan(*stages: tuple[float, float] | tuple[float, float, bool]) -> dict[str, Any]:
    return {"stages": [{"percent": s[0], "bake_seconds": s[1], "approval": len(s) > 2 and s[2]} for s in stages]}


def _ago(**span: float) -> timedelta:
    return timedelta(**span)


STAGES = ((1, WEEK), (10, WEEK), (50, WEEK, True), (98, 30 * DAY))
MIGRATIONS = (
    Migration(
        "dspex-bridge",
        _flag(
            "python_pool_v2 snakepit",
            "The Python bridge moves from python_pool_v2 to snakepit",
            "ml-platform",
            "bridge python",
            "echo simple_predict",
            plan=_plan(*STAGES),
        ),
        {"echo": Traffic(22, 9, 7), "simple_predict": Traffic(35, 84, 71, 0.004)},
        (
            (_ago(days=26), _freeze),
            (_ago(days=11, hours=4), _do(rollouts.start, ANN, "agreed in the migration review")),
        ),
    ),
    Migration(
        "checkout-pricing",
        _flag(
            "pricing_monolith pricing_go",
            "Prices of the checkout come from the Go service",
            "checkout",
            "go revenue",
            "quote discounts",
            plan=_plan((1, DAY), (10, 2 * DAY), (50, 3 * DAY), (98, WEEK)),
        ),
        {"quote": Traffic(48, 38, 24), "discounts": Traffic(17, 22, 19)},
        ((_ago(days=4), _do(rollouts.start, BEN, "release 2026.47")),),
        processes=4,
        goes_bad=_ago(seconds=200),
    ),
    Migration(
        "search-index",
        _flag(
            "solr opensearch",
            "Product search moves to OpenSearch",
            "search",
            "search",
            "query suggest",
            plan=_plan((5, DAY), (25, 2 * DAY, True), (98, WEEK)),
        ),
        {"query": Traffic(26, 120, 88), "suggest": Traffic(31, 18, 15)},
        ((_ago(days=5), _do(rollouts.start, ANN)),),
    ),
    Migration(
        "invoice-pdf",
        _flag(
            "wkhtmltopdf chromium",
            "Invoices are rendered by a headless browser",
            "billing",
            "documents",
            "render",
            plan=_plan((1, DAY), (10, 3 * DAY), (98, WEEK)),
        ),
        {"render": Traffic(4, 640, 590)},
        (
            (_ago(days=3), _do(rollouts.start, BEN)),
            (_ago(hours=20), _do(rollouts.pause, BEN, "fonts of two customers look different")),
        ),
        processes=2,
    ),
    Migration(
        "session-store",
        _flag(
            "redis_5 valkey_8",
            "Sessions live in Valkey",
            "platform",
            "storage",
            "read write",
            plan=_plan((1, DAY), (10, DAY), (50, DAY), (98, 2 * DAY)),
        ),
        {"read": Traffic(60, 2.1, 1.6, 0.0008), "write": Traffic(21, 2.8, 2.2, 0.0008)},
        ((_ago(days=12), _do(rollouts.start, ANN)),),
        processes=4,
    ),
    Migration(
        "mail-relay",
        _flag(
            "postfix ses",
            "Receipts are sent through SES",
            "billing",
            "mail",
            "send",
            enabled=False,
            plan=_plan((1, DAY), (50, WEEK, True), (98, WEEK)),
        ),
        {"send": Traffic(3, 210, 180)},
        (),
        processes=1,
    ),
    Migration(
        "thumbnailer",
        _flag("imagemagick libvips", "Thumbnails are made by libvips", "media", "images", "resize crop"),
        {"resize": Traffic(14, 150, 61), "crop": Traffic(6, 95, 40)},
        ((_ago(days=2), _set("resize", 20, BEN, "first look")),),
        processes=2,
    ),
)
