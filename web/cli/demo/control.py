"""The demo's hand on the control plane: the management API over HTTP, with a token or as somebody signed in."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

TIMEOUT = 60.0  # seconds; only a server that is broken takes them

Document = dict[str, Any]  # a JSON object


class ControlPlaneError(RuntimeError):
    """It answered with an error, or not at all; the message carries its status and words."""


def bearer(token: str) -> dict[str, str]:
    """The credentials of a program."""
    return {"Authorization": f"Bearer {token}"}


class ControlPlane:
    """The people, and the flags of one environment. `credentials` are the headers that say who asks."""

    def __init__(self, url: str, credentials: Mapping[str, str], environment: str = "production") -> None:
        self._address = urlsplit(url).netloc
        self._headers = {**credentials, "Content-Type": "application/json"}
        self._here = f"/environments/{environment}"

    def create(self, flag: Document) -> Document:
        return self._ask("POST", f"{self._here}/flags", flag)

    def start(self, flag: str, reason: str) -> Document:
        return self.roll(flag, "start", reason)

    def roll(self, flag: str, verb: str, reason: str) -> Document:
        """`verb` as in the API: start, pause, advance …"""
        return self._ask("POST", f"{self._here}/flags/{flag}/rollout/{verb}", {"reason": reason})

    def freeze(self, freeze: Document) -> Document:
        return self._ask("POST", f"{self._here}/freezes", freeze)

    def invite(self, email: str, role: str) -> str:
        """Add somebody; the secret of the link that signs them in, once."""
        person = self._ask("POST", "/users", {"email": email, "role": role})
        secret: str = self._ask("POST", f"/users/{person['id']}/link")["secret"]
        return secret

    def flag(self, flag: str) -> Document:
        return self._ask("GET", f"{self._here}/flags/{flag}")

    def health(self, flag: str) -> Document:
        return self._ask("GET", f"{self._here}/flags/{flag}/health")

    def audit(self, flag: str) -> list[Document]:
        """The flag's audit entries, oldest first."""
        entries: list[Document] = self._ask("GET", f"{self._here}/audit?" + urlencode({"flag": flag}))["items"]
        return sorted(entries, key=lambda entry: (entry["at"], entry["id"]))

    def _ask(self, method: str, path: str, body: Document | None = None) -> Document:
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT)
        try:
            content = json.dumps(body).encode() if body is not None else None
            connection.request(method, f"/api/v1{path}", content, self._headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ControlPlaneError(f"{method} {path}: no answer: {error}") from error
        finally:
            connection.close()
        if response.status >= http.client.BAD_REQUEST:
            raise ControlPlaneError(f"{method} {path}: {response.status} {answer.decode(errors='replace')}")
        document: Document = json.loads(answer)
        return document
