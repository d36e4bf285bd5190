"""A small OpenID provider on loopback: discovery, keys, authorize and token over real HTTP, RS256 with real keys.

It signs in `person` without asking. What a test wants it to do wrong is said in `lies`.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "throwbar", "what-only-the-two-of-us-know"


class OpenIdProvider:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.person: dict[str, Any] = {"email": "ann@example.org", "email_verified": True}
        self.lies: dict[str, Any] = {}  # claims of the ID token
        self.discovery_lies: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self._publish(_first_key())
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def turn_keys(self) -> None:
        """A new key pair; the old one is published no longer."""
        self._publish(_new_key())

    def _publish(self, key: RSAKey) -> None:
        self.key = key
        self.published = [self.key.as_dict(private=False)]

    def discovery(self) -> dict[str, Any]:
        here = self.issuer
        return {
            "issuer": here,
            "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token",
            "jwks_uri": f"{here}/keys",
            **self.discovery_lies,
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent to: back, with a code."""
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def redeem(self, asked: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """A token for a code, once, to the client that asked for it and still knows why."""
        known = self.codes.pop(asked.get("code", ""), None)
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(asked.get("code_verifier", "").encode()).digest())
        if known is None or authorization != expected or known["redirect_uri"] != asked["redirect_uri"]:
            return None
        if known["code_challenge"] != challenge.rstrip(b"=").decode():
            return None
        self.tokens.append(self.id_token(known["nonce"]))
        return {"access_token": secrets.token_hex(8), "token_type": "Bearer", "id_token": self.tokens[-1]}

    def id_token(self, nonce: str) -> str:
        now = int(self.clock().timestamp())
        claims = {"iss": self.issuer, "sub": "4711", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        told = {**claims, **self.person, **self.lies}
        kept = {name: value for name, value in told.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, kept, self.key)


def _new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})


_first_key = cache(_new_key)  # making one takes a while


def _handler(provider: OpenIdProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, urlsplit(self.path).query
            provider.asked.append(path)
            if path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(_fields(query)))
                self.end_headers()
                return
            documents = {"/.well-known/openid-configuration": provider.discovery, "/keys": self._keys}
            self._answer(200, documents[path]()) if path in documents else self._answer(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            token = provider.redeem(_fields(body), self.headers.get("Authorization", ""))
            self._answer(200, token) if token else self._answer(400, {"error": "invalid_grant"})

        def _keys(self) -> dict[str, Any]:
            return {"keys": provider.published}

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *args: object) -> None:
            """A test prints nothing."""

    return Handler


def _fields(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
