"""Silence: no telemetry, too few samples, one side missing: three states, three settings. None ever advances."""

from collections.abc import Iterator

from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.guardrails import Guardrails, OnSilence
from controlplane.domain.sample import Sample
from controlplane.domain.share import FULL
from controlplane.domain.words import count, seconds

NO_TELEMETRY_AFTER = 180.0  # seconds since the newest sealed bucket
STALE_AFTER = 20.0  # seconds beyond what sealing takes: too old to advance on
MISSED_KEYS = 10.0  # expected on a side that sent none: a chance of 1 in 22 000, where each key is a draw of its own

_CONSEQUENCE = {
    OnSilence.HOLD: Consequence.HOLD,
    OnSilence.ROLLBACK: Consequence.ROLL_BACK,
    OnSilence.IGNORE: Consequence.NONE,
}


def silence(guardrails: Guardrails, sample: Sample) -> Iterator[Finding]:
    """The one kind of silence that applies, most severe first; else a finding that says how much was heard."""
    settings = guardrails.on_silence
    silent = sample.exposed_seconds if sample.silent_seconds is None else sample.silent_seconds
    if silent > max(NO_TELEMETRY_AFTER, sample.sealing_seconds + STALE_AFTER):
        yield _finding(sample, "no_telemetry", _no_telemetry(sample), settings.no_telemetry)
    elif missing := _missing_side(sample):
        yield _finding(sample, "one_side", f"{sample.operation}: no calls to {missing} are reported", settings.one_side)
    elif sample.silent_seconds is None or sample.stage_keys[1] < guardrails.min_samples:
        yield _finding(sample, "min_samples", _too_few(guardrails, sample), _when_baked(settings.too_few, sample))
    elif sample.baked and silent > sample.sealing_seconds + STALE_AFTER:
        yield _finding(sample, "no_telemetry", _no_telemetry(sample), OnSilence.IGNORE)
    else:
        heard = f"{sample.operation}: {count(sample.stage_keys[1])} samples of {sample.candidate_name} at this share"
        yield Finding(sample.operation, "min_samples", Verdict.HEALTHY, heard, numbers=_numbers(sample))


def _when_baked(setting: OnSilence, sample: Sample) -> OnSilence:
    """Every stage begins with too few samples: that is a reason to go back only when its time is over."""
    return OnSilence.HOLD if setting is OnSilence.ROLLBACK and not sample.baked else setting


def _no_telemetry(sample: Sample) -> str:
    if sample.silent_seconds is None:
        return f"{sample.operation}: no report has arrived in this attempt"
    return f"{sample.operation}: the last report is {seconds(sample.silent_seconds)} old"


def _missing_side(sample: Sample) -> str | None:
    if sample.share and sample.evidence.missed_candidate >= MISSED_KEYS:
        return sample.candidate_name
    if sample.share < FULL and sample.evidence.missed_baseline >= MISSED_KEYS:
        return sample.baseline_name
    return None


def _too_few(guardrails: Guardrails, sample: Sample) -> str:
    seen, calls = sample.stage_keys[1], sample.candidate.calls
    # The window may reach back into the stage before, whose calls a share did draw.
    drawn = any(candidate for _, candidate in sample.evidence.keys_at.values())
    undrawn = f"; {count(calls)} calls that no share drew count for limits alone" if calls and not drawn else ""
    return (
        f"{sample.operation}: {count(seen)} of {count(guardrails.min_samples)} samples "
        f"of {sample.candidate_name} at this share{undrawn}"
    )


def _finding(sample: Sample, guardrail: str, sentence: str, setting: OnSilence) -> Finding:
    return Finding(
        sample.operation, guardrail, Verdict.INCONCLUSIVE, sentence, _CONSEQUENCE[setting], numbers=_numbers(sample)
    )


def _numbers(sample: Sample) -> dict[str, float | int | None]:
    baseline, candidate = sample.stage_keys
    return {"baseline_keys": baseline, "candidate_keys": candidate, "silent_seconds": sample.silent_seconds}
