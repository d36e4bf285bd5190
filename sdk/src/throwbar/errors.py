"""What can go wrong that a caller may have to know about.

    ThrowbarError
    ├── ConfigurationError   (ValueError) an argument or a decoration; raised while the program is wired
    ├── DeadlineExceeded     (TimeoutError) no time was left to start the call
    ├── OutcomeUnknown       a write may have been done or not, and was not repeated; its cause is the backend's error
    ├── SnapshotError        never leaves the SDK
    └── StartRefused         never leaves the SDK

Everything else that a routed call raises is what its backend raised, the same object.
"""


class ThrowbarError(Exception):
    """Root of everything this package raises by itself. Of these, calls raise the documented outcomes only."""


class ConfigurationError(ThrowbarError, ValueError):
    """An argument or a decoration that cannot be obeyed. Raised while the program is wired, never during a call."""


class SnapshotError(ThrowbarError):
    """A snapshot that cannot be read. The one in hand stays in force."""
