"""Who works with the demo's control plane? Two people, signed in as people are: by a link, its button and a cookie."""

import http.client
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from web.cli.demo.control import TIMEOUT, ControlPlane, ControlPlaneError, bearer
from web.cli.demo.server import Server

ANN, BEN = "ann@example.org", "ben@example.org"

_CSRF = re.compile(rb'name="csrf_token" value="([0-9a-f]+)"')


@dataclass(frozen=True, slots=True)
class People:
    """Their hands on the control plane. Ann administers, Ben operates."""

    ann: ControlPlane
    ben: ControlPlane


def invite(server: Server) -> People:
    """Raises ControlPlaneError."""
    installer = ControlPlane(server.url, bearer(server.admin_token))
    ann, ben = installer.invite(ANN, "admin"), installer.invite(BEN, "operator")
    return People(
        ControlPlane(server.url, signed_in(server.url, ann)),
        ControlPlane(server.url, signed_in(server.url, ben)),
    )


def signed_in(url: str, secret: str) -> dict[str, str]:
    """The credentials of whoever the link is for: the cookie of a session, and the token of its forms."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
    try:
        cookie = _cookie(connection, secret)
        connection.request("GET", "/profile/first-password", headers={"Cookie": cookie})
        page = connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        raise ControlPlaneError(f"nobody could sign in: {error}") from error
    finally:
        connection.close()
    found = _CSRF.search(page)
    if found is None:
        raise ControlPlaneError("nobody could sign in: the page after it has no form")
    return {"Cookie": cookie, "X-CSRF-Token": found[1].decode()}


def _cookie(connection: http.client.HTTPConnection, secret: str) -> str:
    connection.request("POST", f"/sign-in/{secret}", headers={"Content-Length": "0"})
    response = connection.getresponse()
    response.read()
    return (response.getheader("Set-Cookie") or "").partition(";")[0]
