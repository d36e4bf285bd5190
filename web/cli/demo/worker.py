"""One worker process of a pool: reads requests as lines of JSON, answers each with a line of JSON.

A request is {"id", "operation", "session", "text"}; the answer is {"id", "ok": true, "result"} or {"id", "ok": false,
"error"}. With --pipe the lines come and go over stdin and stdout, with --socket over the first connection to it.
In both, the line `ready` on stdout says that the model is trained, and the end of stdin ends the process: a pool
that dies, however it dies, closes that pipe, so no worker outlives it.
"""

import argparse
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from web.cli.demo.classifier import Classifier, read_corpus, train
from web.cli.demo.faults import Fault, FaultFile, Kind, damaged, suffer

READY = b"ready\n"

Result = dict[str, Any]  # what an operation answers, as JSON carries it


class Worker:
    """The operations, and the model they use."""

    def __init__(self, faults: FaultFile) -> None:
        self._faults = faults
        self._fault = Fault()
        self._model = train(read_corpus())
        self._operations: dict[str, Callable[[str, str], Result]] = {
            "echo": self._echo,
            "simple_predict": self._simple_predict,
        }

    def answer(self, line: bytes) -> bytes:
        """One request to one answer; an exception of the operation is an answer too."""
        request = json.loads(line)
        try:
            result = self._perform(request["operation"], request["session"], request["text"])
        except (LookupError, ValueError, ArithmeticError) as error:
            answer = {"id": request["id"], "ok": False, "error": f"{type(error).__name__}: {error}"}
        else:
            answer = {"id": request["id"], "ok": True, "result": result}
        return json.dumps(answer).encode() + b"\n"

    def _perform(self, operation: str, session: str, text: str) -> Result:
        fault = self._faults.current()
        if fault != self._fault:
            self._fault, self._model = fault, self._model_under(fault)
        suffer(fault)
        return self._operations[operation](session, text)

    def _model_under(self, fault: Fault) -> Classifier:
        sound = train(read_corpus())
        return damaged(sound, fault.share) if fault.kind is Kind.ERRORS else sound

    def _echo(self, session: str, text: str) -> Result:
        return {"session": session, "text": text}

    def _simple_predict(self, session: str, text: str) -> Result:
        prediction = self._model.predict(text)
        return {"session": session, "label": prediction.label, "confidence": round(prediction.confidence, 6)}


def serve(worker: Worker, requests: Iterable[bytes], reply: Callable[[bytes], None]) -> None:
    """Until the requests end."""
    for line in requests:
        reply(worker.answer(line))


def serve_pipe(worker: Worker) -> None:
    _say(READY)
    serve(worker, iter(sys.stdin.buffer.readline, b""), _say)


def serve_socket(worker: Worker, path: Path) -> None:
    """One connection: a worker is one lane, and it ends with the pool that holds it."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(1)
        _say(READY)
        connection, _ = listener.accept()
    with connection, connection.makefile("rb") as requests:
        serve(worker, iter(requests.readline, b""), connection.sendall)


def _die_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(0)


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    door = parser.add_mutually_exclusive_group(required=True)
    door.add_argument("--pipe", action="store_true", help="requests on stdin, answers on stdout")
    door.add_argument("--socket", type=Path, metavar="PATH", help="listen on a Unix socket")
    parser.add_argument("--fault-file", type=Path, metavar="PATH", help="what shall go wrong, watched for changes")
    options = parser.parse_args()
    worker = Worker(FaultFile(options.fault_file))
    if options.pipe:
        serve_pipe(worker)
    else:
        serve_socket(worker, options.socket)


if __name__ == "__main__":
    main()
