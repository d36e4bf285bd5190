import json
import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
    import json, os, sys, threading
    import throwbar
    from tests.sdk.fake_control_plane import Clock, FakeControlPlane

    clock, server = Clock(), FakeControlPlane()
    client = throwbar.Client("http://throwbar.test", "t", service="shop", poll_interval=3600, report_interval=3600,
                             backup_file=False, transport=server, wall_clock=clock)
    orders = client.migration("orders")

    def serve(calls):
        for number in range(calls):
            with orders.attempt("read", key=str(number)):
                pass

    def finish():
        clock.tick(30)
        flushed = client.flush(20)
        status = client.status()
        line = json.dumps([flushed, status.instance, sum(cell["calls"] for cell in server.cells), status.version,
                           {report["instance"] for report in server.reports} == {status.instance}])
        os.write(1, line.encode() + bytes([10]))

    assert client.wait_ready(20)
    client.flush()
    serve(5)
    %s
"""

FORK = """
    child = os.fork()
    server.reports.clear()
    serve(3 if child == 0 else 2)
    finish()
    if child:
        os.waitpid(child, 0)
    else:
        os._exit(0)
"""

FORK_INSIDE_A_CALL = """
    with orders.attempt("read", key="parent"):
        child = os.fork()
        server.reports.clear()
    serve(3 if child == 0 else 1)
    finish()
    if child:
        os.waitpid(child, 0)
    else:
        os._exit(0)
"""

FORK_WHILE_THE_LOCK_IS_HELD = """
    with client._poller._condition:
        child = os.fork()
    server.reports.clear()
    serve(3 if child == 0 else 2)
    finish()
    if child:
        os.waitpid(child, 0)
    else:
        os._exit(0)
"""


@pytest.mark.parametrize("fork", [FORK, FORK_INSIDE_A_CALL, FORK_WHILE_THE_LOCK_IS_HELD])
def test_parent_and_child_report_their_own_calls_as_instances_of_their_own(fork):
    program = textwrap.dedent(PROGRAM) % textwrap.dedent(fork)

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    told = sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda line: line[2])
    assert [(flushed, calls, version, own) for flushed, _, calls, version, own in told] == [
        (True, 3, 1, True),
        (True, 7, 1, True),
    ]
    assert told[0][1] != told[1][1]


def test_a_child_that_makes_no_call_starts_no_thread():
    fork = """
        child = os.fork()
        if child == 0:
            print(threading.active_count(), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
    """
    program = textwrap.dedent(PROGRAM) % textwrap.dedent(fork)

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
