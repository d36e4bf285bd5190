"""The SDK plane: a small plain ASGI application that answers services from memory, beside the site for people."""

from web.edge.app import Edge
from web.edge.brain import Brain
from web.edge.desk import Desk

__all__ = ["Brain", "Desk", "Edge"]
