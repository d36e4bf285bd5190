"""A service as its author writes it, for any of the ways to run it: one client, made when the module is imported."""

import json
import os

import throwbar

client = throwbar.Client(poll_interval=0.2, report_interval=0.2)
client.wait_ready(30)  # the hard case: its thread runs before anything forks
orders = client.migration("orders", baseline="old")


@orders.route("read", candidate=lambda: "new", kind=throwbar.READ)
def read():
    return "old"


aread = orders.operation("read", kind=throwbar.READ)


@aread.baseline
async def _():
    return "old"


@aread.candidate
async def _():
    return "new"


def serve():
    """One call, and who made it."""
    return {"backend": read(), "instance": client.status().instance, "pid": os.getpid()}


def application(environ, start_response):
    """For servers that speak WSGI."""
    body = json.dumps(serve()).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
