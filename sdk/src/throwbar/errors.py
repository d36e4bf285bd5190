"""What can go wrong that a caller may have to know about."""


class ThrowbarError(Exception):
    """Root of everything this package raises by itself. Calls never raise it: they serve the baseline."""


class ConfigurationError(ThrowbarError, ValueError):
    """An argument or a decoration that cannot be obeyed. Raised while the program is wired, never during a call."""


class SnapshotError(ThrowbarError):
    """A snapshot that cannot be read. The one in hand stays in force."""
