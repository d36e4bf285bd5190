"""`throwbar …` on a leash: the same command, but it ends when the process that started it does, however that ended.

The leash is stdin. A killed parent cannot stop its children, but the pipe that it held is closed for it.
"""

import os
import signal
import sys
import threading

GRACE = 10.0  # seconds to shut down in order


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    threading.Timer(GRACE, os._exit, args=(1,)).start()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    from web.cli import main

    threading.Thread(target=_end_with_parent, name="leash", daemon=True).start()
    main()
