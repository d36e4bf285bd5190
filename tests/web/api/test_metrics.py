"""What Prometheus scrapes."""

from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families

from controlplane.domain.destination import Allowed
from controlplane.domain.webhook import Wanted
from controlplane.usecases import flags, rollouts, webhooks
from controlplane.usecases.books import keep_books
from controlplane.usecases.changing import Place
from controlplane.usecases.leading import lead
from controlplane.usecases.sealing import Seal
from controlplane.usecases.telemetry import fold, record_reports
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_report


def scraped(app):
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    families = text_string_to_metric_families(answer.get_data(as_text=True))
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value for each in families for sample in each.samples
    }


def value(samples, name, **labels):
    return samples[name, frozenset({"environment": "production", **labels}.items())]


def test_a_fresh_server_has_a_version_and_no_flag(app):
    samples = scraped(app)

    assert value(samples, "throwbar_snapshot_version") == 1
    assert not [name for name, _ in samples if name.startswith("throwbar_flag")]


def test_a_running_rollout_shows_its_share_stage_and_calls(app, store):
    flags.create_flag(store, "production", a_flag_document(), a_cause())
    rollouts.start(store, Place("production", "dspex-bridge"), a_cause())
    start = int(NOW.timestamp()) - 60
    shadows = a_cell(start=start, calls=500, errors={"timeout": 500}, assigned_by="shadow")
    record_reports(store, [a_report(a_cell(start=start, calls=40, errors={"timeout": 2}), shadows)], NOW)
    lease = lead(store, "test", NOW, timedelta(minutes=1))
    assert lease
    fold(store, lease)

    samples = scraped(app)

    flag = {"flag": "dspex-bridge"}
    candidate = {**flag, "operation": "echo", "side": "candidate", "backend": "snakepit"}
    assert value(samples, "throwbar_flag_enabled", **flag) == 1
    assert value(samples, "throwbar_flag_share", **flag, operation="echo") == 0.01
    assert value(samples, "throwbar_rollout_stage", **flag) == 1
    assert value(samples, "throwbar_rollout_state", **flag, state="running") == 1
    assert value(samples, "throwbar_flag_verdict", **flag, verdict="inconclusive") == 1
    assert value(samples, "throwbar_calls", **candidate) == 40
    assert value(samples, "throwbar_bad_calls", **candidate) == 2
    assert 0.02 <= value(samples, "throwbar_latency_p99_seconds", **candidate) <= 0.022
    assert value(samples, "throwbar_instances", service="bridge-api", state="reporting") == 1


def test_a_flag_that_was_rolled_back_shares_nothing(app, store):
    document = a_flag_document(plan=None, operations={"echo": {"percent": 20}})
    flags.create_flag(store, "production", document, a_cause())
    rollouts.roll_back(store, Place("production", "dspex-bridge"), a_cause())

    samples = scraped(app)

    assert value(samples, "throwbar_flag_rolled_back", flag="dspex-bridge") == 1
    assert value(samples, "throwbar_flag_share", flag="dspex-bridge", operation="echo") == 0


def test_what_the_doors_of_services_counted_is_there_to_be_scraped(app, store):
    keep_books(store, [], {"flag_sets:left_out": 2, "ofrep:evaluations": 40, "else": 1}, NOW)

    samples = scraped(app)

    told = {labels: number for (name, labels), number in samples.items() if name == "throwbar_counted"}
    assert told == {
        frozenset({("what", "flag_sets:left_out")}): 2,
        frozenset({("what", "ofrep:evaluations")}): 40,
    }


def test_webhooks_are_numbers_without_names(app, store):
    wanted = Wanted("the name of somebody", "https://hooks.example.org/opens")
    webhook, _ = webhooks.create_webhook(store, wanted, Seal("k" * 32), Allowed(), a_cause())
    webhooks.send_test(store, webhook.id, a_cause(NOW - timedelta(seconds=90)))

    samples = scraped(app)

    own = {name: number for (name, labels), number in samples.items() if labels == frozenset({("webhook", "1")})}
    assert own == {
        "throwbar_webhook_enabled": 1,
        "throwbar_webhook_pending": 1,
        "throwbar_webhook_oldest_pending_seconds": 90,
        "throwbar_webhook_failures": 0,
    }
    said = app.test_client().get("/metrics").get_data(as_text=True)
    assert "somebody" not in said
    assert "example.org" not in said
