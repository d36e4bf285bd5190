"""The SDK plane: a small plain ASGI application that answers services from memory, beside the site for people."""

from web.edge.app import Edge
from web.edge.brain import Brain
from web.edge.desk import Desk

# Method, path, who may come in; the doors of the site are listed by the site.
ROUTES = (
    ("GET", "/sdk/v1/snapshot", "sdk"),
    ("POST", "/sdk/v1/reports", "sdk"),
    ("GET", "/healthz", "public"),
    ("GET", "/readyz", "public"),
)

__all__ = ["ROUTES", "Brain", "Desk", "Edge"]
