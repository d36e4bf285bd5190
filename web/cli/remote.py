"""The control plane behind a server: the management API, spoken with the standard library."""

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from controlplane.domain.errors import NotFound, ThrowbarError
from web.cli.plane import Answer, Page
from web.cli.webhook_planes import RemoteWebhooks

TIMEOUT = 30.0  # seconds


class RemoteRefused(ThrowbarError):
    """The server said no, or nothing; the message is its own."""


class _StayHere(HTTPRedirectHandler):
    """A redirect would carry the token to another host."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401 - urllib's signature
        return None


class Remote:
    """A `Plane` at a URL."""

    def __init__(self, url: str, token: str, environment: str) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            message = f"{url} is not a URL: it begins with http:// or https://"
            raise RemoteRefused(message)
        self._url = url.rstrip("/")
        self._token = token
        self._here = f"/environments/{quote(environment, safe='')}"
        self._opener = build_opener(_StayHere)

    def _ask(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        body = None
        if document is not None:
            body, headers["Content-Type"] = json.dumps(document).encode(), "application/json"
        if method == "PUT" or path.endswith("/plan/copy"):
            headers["If-Match"] = "*"  # a person at a shell means the flag as it is now
        request = Request(f"{self._url}/api/v1{path}", body, headers, method=method)  # noqa: S310 - http(s) only, see above
        try:
            with self._opener.open(request, timeout=TIMEOUT) as response:
                answer: Answer = json.load(response)
        except HTTPError as error:
            raise RemoteRefused(_told(error)) from None
        except (OSError, HTTPException, ValueError) as error:
            message = f"{self._url} does not answer as Throwbar does: {error}"
            raise RemoteRefused(message) from None
        return answer

    def _flag(self, flag: str, rest: str = "") -> str:
        return f"{self._here}/flags/{quote(flag, safe='')}{rest}"

    def list_flags(self, *, archived: bool) -> list[Answer]:
        found: list[Answer] = []
        query = {"limit": "500", "archived": "true" if archived else "false"}
        while True:
            page = self._ask("GET", f"{self._here}/flags?{urlencode(query)}")
            found += page["items"]
            if page["next"] is None:
                return found
            query["after"] = page["next"]

    def show_flag(self, flag: str) -> Answer:
        return self._ask("GET", self._flag(flag))

    def create_flag(self, document: Mapping[str, Any], reason: str) -> Answer:
        return self._ask("POST", f"{self._here}/flags?{urlencode({'reason': reason})}", document)

    def replace_flag(self, flag: str, document: Mapping[str, Any], reason: str) -> Answer:
        return self._ask("PUT", self._flag(flag, f"?{urlencode({'reason': reason})}"), document)

    def enable(self, flag: str, reason: str) -> Answer:
        return self._ask("POST", self._flag(flag, "/enable"), {"reason": reason})

    def disable(self, flag: str, reason: str) -> Answer:
        return self._ask("POST", self._flag(flag, "/disable"), {"reason": reason})

    def set_percent(self, flag: str, operation: str, percent: float, reason: str) -> Answer:
        path = self._flag(flag, f"/operations/{quote(operation, safe='')}?{urlencode({'reason': reason})}")
        return self._ask("PUT", path, {"percent": percent})

    def act(self, flag: str, verb: str, reason: str, operation: str | None = None, confirm: str = "") -> Answer:
        more = {name: value for name, value in (("operation", operation), ("confirm", confirm)) if value}
        return self._ask("POST", self._flag(flag, f"/rollout/{verb}"), {"reason": reason, **more})

    def reconciled(self, flag: str, document: Mapping[str, Any], reason: str) -> Answer:
        return self._ask("POST", self._flag(flag, "/rollout/reconciled"), {**document, "reason": reason})

    def finish(self, flag: str, reason: str, confirm: str, *, despite_criteria: bool) -> Answer:
        document = {"reason": reason, "despite_criteria": despite_criteria, **({"confirm": confirm} if confirm else {})}
        return self._ask("POST", self._flag(flag, "/rollout/finish"), document)

    def show_evidence(self, flag: str, wanted: Mapping[str, str]) -> Answer:
        return self._ask("GET", self._flag(flag, f"/evidence?{urlencode(wanted)}"))

    def set_plan(self, flag: str, document: Mapping[str, Any], reason: str) -> Answer:
        return self._ask("PUT", self._flag(flag, f"/plan?{urlencode({'reason': reason})}"), document)

    def set_targeting(self, flag: str, document: Mapping[str, Any], reason: str) -> Answer:
        return self._ask("PUT", self._flag(flag, f"/targeting?{urlencode({'reason': reason})}"), document)

    def copy_plan(self, flag: str, source: str, reason: str) -> Answer:
        return self._ask("POST", self._flag(flag, "/plan/copy"), {"from": source, "reason": reason})

    def convergence(self, flag: str) -> Answer:
        return self._ask("GET", self._flag(flag, "/convergence"))

    def start(self, flag: str, reason: str, at: str | None) -> Answer:
        return self._ask("POST", self._flag(flag, "/rollout/start"), {"reason": reason, "at": at})

    def finish_line(self, flag: str) -> Answer:
        return self._ask("GET", self._flag(flag, "/finish-line"))

    def list_stale(self) -> list[Answer]:
        return _items(self._ask("GET", f"{self._here}/stale"))

    def report(self, flag: str) -> Answer:
        return self._ask("GET", self._flag(flag, "/report"))

    def show_checklist(self, flag: str, phase: str) -> Answer:
        return self._ask("GET", self._flag(flag, f"/checklists/{phase}"))

    def replace_checklist(self, flag: str, phase: str, document: Mapping[str, Any], reason: str) -> Answer:
        path = self._flag(flag, f"/checklists/{phase}?{urlencode({'reason': reason})}")
        return self._ask("PUT", path, document)

    def set_item(self, flag: str, phase: str, item: str, document: Mapping[str, Any], reason: str) -> Answer:
        path = f"/checklists/{phase}/items/{quote(item, safe='')}?{urlencode({'reason': reason})}"
        return self._ask("PUT", self._flag(flag, path), document)

    def attach(self, flag: str, document: Mapping[str, Any], reason: str) -> Answer:
        return self._ask("POST", self._flag(flag, f"/evidence?{urlencode({'reason': reason})}"), document)

    def list_appointments(self, flag: str) -> list[Answer]:
        return _items(self._ask("GET", self._flag(flag, "/appointments")))

    def make_appointment(self, flag: str, document: Mapping[str, Any]) -> Answer:
        return self._ask("POST", self._flag(flag, "/appointments"), document)

    def cancel_appointment(self, flag: str, number: int, reason: str) -> Answer:
        return self._ask("DELETE", self._flag(flag, f"/appointments/{number}?{urlencode({'reason': reason})}"))

    def list_plan_templates(self) -> list[Answer]:
        return _items(self._ask("GET", f"{self._here}/plan-templates"))

    def list_freezes(self) -> list[Answer]:
        return _items(self._ask("GET", f"{self._here}/freezes"))

    def add_freeze(self, document: Mapping[str, Any], reason: str) -> Answer:
        return self._ask("POST", f"{self._here}/freezes?{urlencode({'reason': reason})}", document)

    def remove_freeze(self, number: int, reason: str) -> Answer:
        return self._ask("DELETE", f"{self._here}/freezes/{number}?{urlencode({'reason': reason})}")

    def backtest(self, flag: str, document: Mapping[str, Any]) -> Answer:
        return self._ask("POST", self._flag(flag, "/backtest"), document)

    def list_environments(self) -> list[Answer]:
        return _items(self._ask("GET", "/environments"))

    def create_environment(self, name: str, reason: str) -> Answer:
        return self._ask("POST", f"/environments?{urlencode({'reason': reason})}", {"name": name})

    def set_environment(self, name: str, reason: str, *, require_reason: bool) -> Answer:
        address = f"/environments/{quote(name, safe='')}?{urlencode({'reason': reason})}"
        return self._ask("PATCH", address, {"require_reason": require_reason})

    def snapshot(self) -> Answer:
        return self._ask("GET", f"{self._here}/snapshot")

    def read_audit(self, wanted: Mapping[str, str], before: int | None, limit: int) -> Page:
        query = {**wanted, "limit": str(limit)} | ({"before": str(before)} if before else {})
        page = self._ask("GET", f"{self._here}/audit?{urlencode(query)}")
        return Page(page["items"], page["next"])

    def verify_audit(self) -> Answer:
        return self._ask("GET", f"{self._here}/audit/verify")

    def list_tokens(self) -> list[Answer]:
        return _items(self._ask("GET", "/tokens"))

    def create_token(self, document: Mapping[str, Any], reason: str) -> Answer:
        return self._ask("POST", f"/tokens?{urlencode({'reason': reason})}", document)

    def revoke_token(self, token: int, reason: str) -> Answer:
        return self._ask("DELETE", f"/tokens/{token}?{urlencode({'reason': reason})}")

    @property
    def webhooks(self) -> RemoteWebhooks:
        return RemoteWebhooks(self._ask)

    def list_people(self) -> list[Answer]:
        return _items(self._ask("GET", "/users"))

    def add_person(self, document: Mapping[str, Any], reason: str) -> Answer:
        return self._ask("POST", f"/users?{urlencode({'reason': reason})}", document)

    def create_link(self, email: str) -> Answer:
        return self._ask("POST", f"/users/{self._person(email)}/link")

    def disable_person(self, email: str, reason: str) -> Answer:
        return self._ask("POST", f"/users/{self._person(email)}/disable", {"reason": reason})

    def enable_person(self, email: str, reason: str) -> Answer:
        return self._ask("POST", f"/users/{self._person(email)}/enable", {"reason": reason})

    def _person(self, email: str) -> int:
        known = {each["email"]: each["id"] for each in self.list_people()}
        if email.strip().lower() not in known:
            raise NotFound("there is no such person")
        return int(known[email.strip().lower()])


def _items(answer: Answer) -> list[Answer]:
    return list(answer["items"])


def _told(error: HTTPError) -> str:
    """The server's own sentence; its status where it has none."""
    try:
        told = json.load(error)
        return str(told["detail"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"the server answered {error.code}"
