"""Forks, ends and imports: what second calls do to whole processes."""

import subprocess
import sys
import textwrap

PROGRAM = """
    import os, threading
    from tests.sdk.second_calls import Choices, RememberingHost, serve
    from throwbar.crew import crew
    from throwbar.pairing import Pairing
    from throwbar.second import Manner

    host, choices = RememberingHost(), Choices()

    def pairing_of(candidate):
        return Pairing(host, (lambda: 1, candidate), Manner(deadline=20.0), asynchronous=False)

    def serve_one(candidate):
        return serve(pairing_of(candidate), choices.baseline, choices.shadow_candidate)

    def shadows():
        return sum(thread.name.startswith("throwbar-shadow") for thread in threading.enumerate())
"""


def run(program):
    whole = textwrap.dedent(PROGRAM) + textwrap.dedent(program)
    return subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, timeout=60, check=False)


def test_a_forked_child_has_threads_of_its_own_and_none_of_its_parents_jobs():
    done = run("""
        release, started = threading.Event(), threading.Semaphore(0)

        def hang():
            started.release()
            release.wait(20)
            return 1

        for _ in range(2):
            serve_one(hang)
            assert started.acquire(timeout=20)
        for _ in range(50):
            serve_one(lambda: 1)
        child = os.fork()
        if child == 0:
            assert shadows() == 0
            host.tally.compared.clear()
            serve_one(lambda: 1)
            print("child", host.tally.wait_for(1), shadows(), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        release.set()
        print("parent", host.tally.wait_for(52).count("match"), shadows(), flush=True)
    """)

    assert done.stdout.splitlines() == ["child ['match'] 2", "parent 52 2"], done.stderr


def test_no_thread_is_started_before_a_call_is_sampled():
    done = run("""
        choices = Choices(shadow_share=0)
        serve_one(lambda: 1)
        print(shadows())
        choices = Choices()
        serve_one(lambda: 1)
        host.tally.wait_for(1)
        print(shadows())
    """)

    assert done.stdout.splitlines() == ["0", "2"], done.stderr


def test_a_process_ends_while_second_calls_hang_and_wait():
    done = run("""
        started = threading.Event()

        def hang():
            started.set()
            threading.Event().wait()

        for _ in range(100):
            serve_one(hang)
        assert started.wait(20)
        print("end", flush=True)
    """)

    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def test_a_signal_handler_may_make_a_routed_call_in_the_middle_of_another():
    done = run("""
        import signal

        served = []

        def handle(number, frame):
            served.append(serve_one(lambda: 1))

        signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        own = 0
        while len(served) < 100:
            serve_one(lambda: 1)
            own += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(len(host.tally.wait_for(own + len(served))) == own + len(served))
    """)

    assert done.stdout == "True\n", done.stderr


def test_second_calls_cost_a_host_that_makes_none_no_heavy_import():
    program = "import sys, throwbar.pairing, throwbar.dual; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    heavy = {"asyncio", "concurrent.futures", "dataclasses", "inspect", "hashlib", "queue", "random", "copy"}
    assert not heavy & set(loaded)
