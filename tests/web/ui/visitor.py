"""A person in front of the pages, without a browser: keeps the session, sends the form's own token."""

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

FLAGS = "/environments/production/flags"
FLAG = f"{FLAGS}/dspex-bridge"
_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')


@dataclass
class Visitor:
    app: Flask
    session: str | None = None
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()
        if self.session:
            self.client.set_cookie("throwbar_session", self.session)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers=headers)

    def text(self, path: str) -> str:
        response = self.get(path)
        assert response.status_code == 200, response.text
        return visible(response)

    def post(self, path: str, htmx: bool = False, **fields: Any) -> TestResponse:
        """What the browser sends when a form of any page of this person is sent."""
        token = _TOKEN.search(self.get("/profile").text)
        assert token
        headers = {"HX-Request": "true"} if htmx else {}
        return self.client.post(path, data={"csrf_token": token.group(1), **fields}, headers=headers)

    def done(self, path: str, **fields: Any) -> str:
        """Post, redirect, get: what the page says afterwards."""
        response = self.post(path, **fields)
        assert response.status_code == 303, visible(response)
        return self.text(response.headers["Location"])


def visible(response: TestResponse) -> str:
    """The words of a page, without tags and with single spaces."""
    words = re.sub(r"<(script|style|title)\b.*?</\1>|<[^>]*>", " ", response.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(words))
