"""Where does randomness come from? From the system: importing `random` would cost a host a tenth of this package."""

from __future__ import annotations

import os


def chance() -> float:
    """Uniform in [0, 1), and after a fork different in parent and child."""
    return (int.from_bytes(os.urandom(7), "big") >> 3) * 2.0**-53
