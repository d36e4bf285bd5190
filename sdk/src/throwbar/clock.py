"""What time is it? The only place of the SDK that asks."""

import time

wall_clock = time.time  # seconds since the epoch
perf_clock_ns = time.perf_counter_ns  # spans of calls
monotonic = time.monotonic  # pauses and time limits
