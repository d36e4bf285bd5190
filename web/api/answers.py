"""What do doors answer about flags, their health and their evidence? Schemas for the description of the API."""

_NUMBERS: dict[str, object] = {"type": "array", "items": {"type": ["number", "null"]}}
_SIDES = ("baseline", "candidate")
_SERIES = (
    *("calls", "errors", "error_rate", "error_rate_low", "error_rate_high"),
    *("p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms"),
)
_COURSE: dict[str, object] = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("times", "attempts", "overall", "errors", "latency"), _NUMBERS),
        "log_limit": {"type": ["number", "null"], "description": "ln(1/α): reached, it is rolled back"},
        "log_suspicious": {"type": "number", "description": "ln 5: reached, it holds"},
        **{key: {"type": "object", "properties": dict.fromkeys(("rate", "low", "high"), _NUMBERS)} for key in _SIDES},
    },
}

ANSWERS: dict[str, dict[str, object]] = {
    "Object": {"type": "object"},
    "Targeting": {
        "type": "object",
        "maxProperties": 1,
        "description": "JsonLogic with the operators of flagd; {} is none",
    },
    "List": {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": {"type": "object"}},
            "next": {"type": ["string", "integer", "null"]},
        },
    },
    "Flag": {
        "type": "object",
        "required": ["key", "kind", "enabled", "operations", "version", "rollout"],
        "properties": {
            "key": {"type": "string"},
            "kind": {"enum": ["migration", "feature"]},
            "baseline": {
                "type": "string",
                "description": "a backend, or a variant; not of a feature that is not moved",
            },
            "candidate": {"type": "string", "description": "likewise"},
            "variants": {"type": "object", "description": "of a feature: name → value"},
            "default_variant": {"type": "string", "description": "of a feature: what nobody has to be targeted for"},
            "targeting": {"type": ["object", "null"], "description": "of a feature: JsonLogic"},
            "version": {"type": "integer", "description": "of the flag, for If-Match and revert"},
            "enabled": {"type": "boolean"},
            "operations": {"type": "object"},
            "rollout": {"type": "object", "required": ["state", "stage", "attempt", "waiting_for"]},
        },
    },
    "Decision": {
        "type": "object",
        "required": ["flag", "operation", "key", "side", "backend", "candidate", "reason", "sentence", "version"],
        "properties": {
            "side": {"enum": [*_SIDES, None], "description": "null: another variant, or none"},
            "backend": {"type": ["string", "null"], "description": "of a feature: the variant"},
            "variant": {"type": ["string", "null"], "description": "of a feature; null: the default of the code"},
            "value": {"description": "of a feature: what the variant stands for"},
            "reason": {"type": "string", "description": "in the words of the SDK's decisions"},
            "sentence": {"type": "string", "description": "why, in words"},
            "rule": {"type": ["integer", "null"], "description": "which rule decided, from 1"},
            "bucket": {"type": ["integer", "null"], "description": "of 100 000, where the key was drawn"},
            "version": {"type": "integer", "description": "of the snapshot"},
        },
    },
    "Health": {
        "type": "object",
        "required": [
            "verdict",
            "held",
            "waiting_for",
            "step_seconds",
            "series",
            "course",
            "operations",
            "limits",
            "events",
        ],
        "properties": {
            "verdict": {"enum": ["healthy", "unhealthy", "inconclusive"]},
            "held": {"type": "boolean", "description": "whether a finding keeps it where it is, rather than its youth"},
            "waiting_for": {"type": ["string", "null"], "description": "what the rollout waits for, in one sentence"},
            "step_seconds": {"type": "integer", "description": "how long one step of every series is"},
            "series": {"$ref": "#/components/schemas/Series"},
            "course": {
                **_COURSE,
                "required": ["times", "attempts", "overall", "log_limit", "log_suspicious"],
                "description": "ln E of the flag over time, and the lines it is held against",
            },
            "operations": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "required": [
                        *("verdict", "waiting_for", "findings", "series", "course", "rates", "routing", "breakers"),
                    ],
                    "properties": {
                        "series": {"$ref": "#/components/schemas/Series"},
                        "course": {
                            **_COURSE,
                            "required": ["times", "attempts", "errors", "latency", "log_limit", *_SIDES],
                        },
                    },
                },
            },
        },
    },
    "Series": {
        "type": "object",
        "required": ["starts", *_SIDES],
        "properties": {
            "starts": {**_NUMBERS, "description": "the beginning of each step, in seconds since the epoch"},
            **{
                key: {"type": "object", "properties": dict.fromkeys(_SERIES, _NUMBERS), "required": list(_SERIES)}
                for key in _SIDES
            },
        },
    },
    "Evidence": {
        "type": "object",
        "required": ["flag", "attempt", "attempts", "code", "from", "note", "log_limit", "series", "decisions", "same"],
        "properties": {
            "attempt": {"type": "integer"},
            "from": {"type": ["string", "null"], "description": "since when rows were recomputed"},
            "note": {"type": ["string", "null"], "description": "what could not be recomputed"},
            "log_limit": {"type": "number", "description": "ln(1/α)"},
            "series": {"type": "object", "required": ["step", "times", "overall", "operations"]},
            "decisions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["entry", "at", "action", "recorded", "recomputed", "difference", "same"],
                },
            },
            "same": {"type": "boolean", "description": "no decision differs by more than 1e-9 in ln E"},
        },
    },
    "Backtest": {
        "type": "object",
        "required": ["flag", "attempt", "from", "until", "step", "events", "rolled_back_at", "note", "series"],
        "properties": {
            "attempt": {"type": "integer"},
            "rolled_back_at": {"type": ["string", "null"]},
            "note": {"type": ["string", "null"], "description": "which telemetry is missing"},
            "events": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["at", "kind", "sentence", "log_evidence", "one_in"],
                    "properties": {
                        "kind": {"enum": ["suspicious", "hold", "report", "roll_back", "advance", "complete"]}
                    },
                },
            },
            "series": {"type": "object", "required": ["step", "times", "overall", "operations"]},
        },
    },
    "Checklist": {
        "type": "object",
        "required": ["phase", "version", "required", "tests_required", "criteria_required", "items", "open"],
        "properties": {
            "version": {"type": "integer", "description": "of the checklist, for If-Match; 0 before the first change"},
            "items": {"type": "array", "items": {"type": "object", "required": ["id", "title", "required", "done"]}},
            "open": {"type": "array", "items": {"type": "string"}, "description": "what holds a rollout back"},
        },
    },
    "Criteria": {
        "type": "object",
        "required": ["flag", "at", "outcome", "required", "criteria"],
        "properties": {
            "outcome": {"enum": ["pass", "fail", "not_enough_data"]},
            "required": {"type": "boolean", "description": "whether finishing waits until each has passed"},
            "criteria": {
                "type": "array",
                "items": {"type": "object", "required": ["name", "title", "outcome", "sentence", "points"]},
            },
        },
    },
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail", "request_id"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "request_id": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "message"],
                    "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                },
            },
        },
    },
}
