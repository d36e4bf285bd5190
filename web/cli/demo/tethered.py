"""`throwbar …` on a leash: the same command, but it ends when the process that started it does, however that ended.

The leash is stdin. A killed parent cannot stop its children, but the pipe that it held is closed for it.
"""

import os
import signal
import threading

STDIN = 0
GRACE = 10.0  # seconds to shut down in order


def _end_with_parent() -> None:
    # Not through sys.stdin: a thread that holds its lock would break the interpreter's own ending.
    while os.read(STDIN, 1):
        pass
    threading.Timer(GRACE, os._exit, args=(1,)).start()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    from web.cli import main

    threading.Thread(target=_end_with_parent, name="leash", daemon=True).start()
    main()
