"""What is the reason of a decision called elsewhere? In the words that OpenFeature and OpenTelemetry share. Facts only.

https://openfeature.dev/specification/types and, in lower case,
https://opentelemetry.io/docs/specs/semconv/feature-flags/feature-flags-events.
"""

from throwbar.decision import Reason

STANDARD_REASONS = {
    Reason.NOT_READY: "DEFAULT",
    Reason.FLAG_MISSING: "DEFAULT",
    Reason.SDK_ERROR: "ERROR",
    Reason.OVERRIDE: "STATIC",
    Reason.DISABLED: "DISABLED",
    Reason.ROLLED_BACK: "DISABLED",
    Reason.OPERATION_NOT_LISTED: "DEFAULT",
    Reason.RULE: "TARGETING_MATCH",
    Reason.SHARE: "SPLIT",
    Reason.NO_KEY: "DEFAULT",
    Reason.PIN: "CACHED",
    Reason.CIRCUIT_OPEN: "DEFAULT",
    Reason.HALF_OPEN_PROBE: "SPLIT",
}
