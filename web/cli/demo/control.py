"""The demo's hand on the control plane: the management API over HTTP, with an administrator's token."""

import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

TIMEOUT = 10.0  # seconds

Document = dict[str, Any]  # a JSON object


class ControlPlaneError(RuntimeError):
    """It answered with an error, or not at all; the message carries its status and words."""


class ControlPlane:
    """The flags of one environment."""

    def __init__(self, url: str, token: str, environment: str = "production") -> None:
        self._address = urlsplit(url).netloc
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._root = f"/api/v1/environments/{environment}"

    def create(self, flag: Document) -> Document:
        return self._ask("POST", "/flags", flag)

    def start(self, flag: str, reason: str) -> Document:
        return self._ask("POST", f"/flags/{flag}/rollout/start", {"reason": reason})

    def flag(self, flag: str) -> Document:
        return self._ask("GET", f"/flags/{flag}")

    def health(self, flag: str) -> Document:
        return self._ask("GET", f"/flags/{flag}/health")

    def audit(self, flag: str) -> list[Document]:
        """The flag's audit entries, oldest first."""
        entries: list[Document] = self._ask("GET", "/audit?" + urlencode({"flag": flag}))["items"]
        return sorted(entries, key=lambda entry: (entry["at"], entry["id"]))

    def _ask(self, method: str, path: str, body: Document | None = None) -> Document:
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT)
        try:
            content = json.dumps(body).encode() if body is not None else None
            connection.request(method, self._root + path, content, self._headers)
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
