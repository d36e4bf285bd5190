"""Every secret through every door that it can come to: afterwards none is in a log, an answer, the audit or the database."""

import itertools
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from flask import Flask
from sqlalchemy import MetaData, make_url, select, text

from controlplane.clock import utc_now
from controlplane.domain.access import Role
from controlplane.settings import Settings
from controlplane.store import open_store
from controlplane.usecases import flags, people, signing_in
from controlplane.usecases.signing_in import first_link
from controlplane.usecases.starting import prepare
from tests.builders import a_cause, a_flag_document
from tests.infrastructure.openid_provider import CLIENT, SECRET, OpenIdProvider
from tests.web.test_route_roles import address_of
from tests.web.witness import PATIENCE, Visitor, Witness, listening, serving
from web.access import RULES
from web.app import create_app

ANN, BOB = "ann@example.org", "bob@example.org"
NO_DATABASES = (
    "postgresql+psycopg://throwbar:the-database-secret@127.0.0.1:9/throwbar",
    "postgresql+psycopg://throwbar:the-database-secret@no-such-host.invalid/throwbar?password=the-database-secret",
    "postgresql+psycopg://throwbar:the-database-secret@127.0.0.1:port/throwbar",
    "postgresql+nothing://throwbar:the-database-secret@127.0.0.1/throwbar",
    "no-database://throwbar:the-database-secret@127.0.0.1/throwbar",
    "throwbar:the-database-secret@127.0.0.1",
    "sqlite:////proc/no-folder-can-be-made-here/throwbar.db",
)
TOO_BIG = "x" * (1 << 20)
SECRET_IN_PAGE = re.compile(r'id="(?:secret|link)">([^<]+)<')


@pytest.fixture
def witness():
    hearing = Witness()
    yield hearing
    for client in hearing.clients:
        client.close()


@pytest.fixture
def provider():
    started = OpenIdProvider(utc_now)
    yield started
    started.close()


@pytest.fixture
def given(database_url, provider, witness) -> Settings:
    """A server whose every secret is known to the witness."""
    learn, password = witness.learn, make_url(database_url).password
    if password:
        learn("the password of the database", password)
    return Settings(
        database_url=database_url,
        secret_key=learn("the secret key", "the-key-that-signs-everything"),
        admin_email=ANN,
        admin_password=learn("the first password", "correct-horse-battery"),
        bootstrap_admin_token=learn("the first admin token", "bootstrap-admin-sentinel"),
        bootstrap_sdk_token=learn("the first SDK token", "bootstrap-sdk-sentinel"),
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=learn("the client secret", SECRET),
        webhook_allow_private="127.0.0.1",
    )


@pytest.fixture
def store(given):
    with open_store(given.database_url) as opened:
        prepare(opened, given, utc_now())
        first_link(opened, utc_now(), given.admin_email, given.admin_password)
        flags.create_flag(opened, "production", a_flag_document(), a_cause(utc_now()))
        people.add_person(opened, BOB, Role.ADMIN, a_cause(utc_now()))
        yield opened


def shown(answer: httpx.Response) -> str:
    found = SECRET_IN_PAGE.search(answer.text)
    assert found, answer.text
    return found.group(1)


def sign_in_and_guess(ann: Visitor, witness: Witness) -> None:
    """The right password once, wrong ones until it has to wait; with a form that was filled in when the session ended."""
    password, guess = (
        witness.secrets["the first password"],
        witness.learn("a wrong password", "a-guess-that-is-a-secret"),
    )
    assert ann.ask("POST", "/sign-in", data={"email": ANN, "password": password}).status_code == 303
    ann.session()
    stranger = Visitor(str(ann.client.base_url), witness, "a stranger")
    for _ in range(7):
        stranger.ask("POST", "/sign-in", data={"email": "eve@example.org", "password": guess, "kept_to": "/profile"})
    kept = {"current": guess, "password": guess, "csrf_token": ann.csrf()}
    stranger.ask("POST", "/profile/password", data=kept)
    stranger.ask("POST", "/profile/tokens", data={"name": "laptop", **kept})
    ann.post("/profile/password", current=guess, password="short")
    ann.post("/profile/tokens", current=guess, name="laptop", role="admin", lasts="")


def change_the_password(ann: Visitor, witness: Witness) -> None:
    old, new = witness.secrets["the first password"], witness.learn("the new password", "a-new-and-longer-password")
    ann.post("/profile/password", current=old, password="short")
    assert ann.post("/profile/password", current=old, password=new).status_code == 303
    witness.learn("the session after the password", ann.client.cookies["throwbar_session"])


def make_links(ann: Visitor, witness: Witness) -> None:
    """An invitation and a link from pages, one from the API; looked at, used, used again, and made up."""
    address = str(ann.client.base_url)
    invited = Visitor(address, witness, "somebody invited")
    pages = [("/people", {"email": "cid@example.org", "role": "viewer"}), ("/people/link", {"email": BOB})]
    for number, (path, fields) in enumerate(pages):
        token = ann.csrf()
        answer = ann.client.post(path, data={"csrf_token": token, **fields})
        link = witness.learn(f"link {number}", shown(answer).rpartition("/")[2])
        witness.hear(path, answer.text.replace(token, ""), but=link)
        invited.ask("GET", f"/sign-in/{link}", may=link)
        invited.ask("POST", f"/sign-in/{link}")
        invited.session()
        invited.ask("POST", f"/sign-in/{link}")
        invited.ask("DELETE", f"/sign-in/{link}")
    bearer = {"Authorization": f"Bearer {witness.secrets['the first admin token']}", "Accept": "application/json"}
    made = ann.client.post("/api/v1/users/1/link", headers=bearer).json()["secret"]
    invited.ask("GET", f"/sign-in/{witness.learn('a link of the API', made)}x", may=made)


def make_tokens(ann: Visitor, witness: Witness) -> None:
    """Of both kinds and of one's own; used, misspelt, in the wrong place, and after they were revoked."""
    admin = {"Authorization": f"Bearer {witness.secrets['the first admin token']}"}
    made = {}
    for kind in ("admin", "sdk"):
        wanted = {"kind": kind, "name": f"a new {kind}", **({"role": "admin"} if kind == "admin" else {})}
        made[kind] = ann.client.post("/api/v1/tokens", json=wanted, headers=admin).json()
        witness.learn(f"a token of kind {kind}", made[kind]["secret"])
    password = witness.secrets["the new password"]
    own = ann.client.post(
        "/profile/tokens",
        data={"csrf_token": ann.csrf(), "current": password, "name": "laptop", "role": "admin", "lasts": ""},
    )
    witness.learn("a token of one's own", shown(own))
    program = Visitor(str(ann.client.base_url), witness, "a program")
    program.client.headers["Accept"] = "application/json"
    tokens = [secret for name, secret in witness.secrets.items() if "token" in name and "form" not in name]
    for secret in tokens:
        use(program, secret)
    for each in made.values():
        program.ask("DELETE", f"/api/v1/tokens/{each['id']}", headers=admin)
        use(program, each["secret"])


def make_webhooks(ann: Visitor, witness: Witness) -> None:
    """Made, asked for, tested in vain, given a new secret, misspelt and deleted; the path of its address is a secret, too."""
    admin = {"Authorization": f"Bearer {witness.secrets['the first admin token']}"}
    address = witness.learn("the path of a webhook", "what-opens-the-endpoint")
    wanted = {"name": "chat", "url": f"https://127.0.0.1:9/{address}", "actions": ["*"]}
    made = ann.client.post("/api/v1/webhooks", json=wanted, headers=admin)
    witness.learn("the secret of a webhook", made.json()["secret"])
    here = f"/api/v1/webhooks/{made.json()['id']}"
    witness.learn("its new secret", ann.client.post(f"{here}/rotate", headers=admin).json()["secret"])
    program = Visitor(str(ann.client.base_url), witness, "a program with webhooks")
    program.ask(
        "POST", "/api/v1/webhooks", json={**wanted, "url": wanted["url"].replace("https", "ftp")}, headers=admin
    )
    program.ask("POST", f"{here}/test", headers=admin)
    for _ in range(600):  # the server's own scheduler tells it
        found = program.ask("GET", f"{here}/deliveries", headers=admin).json()["items"]
        if found[-1]["attempts"]:  # the oldest: it fails, and those behind it wait
            break
        time.sleep(0.1)
    assert "nobody listens there" in found[-1]["error"]
    program.ask("GET", "/api/v1/environments/production/audit", headers=admin)
    program.ask("GET", "/metrics")
    assert ann.client.delete(here, headers=admin).status_code == 200


def use(program: Visitor, secret: str) -> None:
    flag = "/api/v1/environments/production/flags"
    for header in (f"Bearer {secret}", f"Basic {secret}", f"Bearer {secret} {secret}", secret, f"Bearer {secret}x"):
        for path in (flag, "/sdk/v1/snapshot", "/flagd/v0/flags.json", "/environments/production/audit"):
            program.ask("GET", path, headers={"Authorization": header})
    right = {"Authorization": f"Bearer {secret}"}
    program.ask("POST", flag, content=f'{{"key": "{secret}', headers={**right, "Content-Type": "application/json"})
    program.ask("POST", flag, content=secret + TOO_BIG, headers={**right, "Content-Type": "application/json"})
    program.ask(
        "POST", flag, json={"token": secret}, headers={**right, "If-Match": secret, "X-Request-Id": f"{secret} x"}
    )
    program.ask("POST", "/sdk/v1/reports", content=secret + TOO_BIG, headers={**right, "If-None-Match": secret})
    program.ask("POST", "/sdk/v1/reports", content=f'{{"instance": "{secret}', headers=right)
    program.ask("POST", "/ofrep/v1/evaluate/flags", content=f'{{"context": "{secret}', headers={"X-API-Key": secret})
    program.ask("GET", f"/ofrep/v1/events?token={secret}")
    program.ask("GET", f"{flag}?limit=1&token={secret}")
    program.ask("GET", flag, headers={"Cookie": f"throwbar_session={secret}"})
    program.ask("GET", "/environments/production/stream", headers={"Cookie": f"throwbar_session={secret}"})


def come_by_openid(ann: Visitor, witness: Witness, provider: OpenIdProvider) -> None:
    """The right way, with a code that is made up, and after the provider has gone."""
    guest = Visitor(str(ann.client.base_url), witness, "a guest of the provider")
    there = guest.client.get("/sign-in/openid").headers["Location"]
    back = httpx.get(there, timeout=PATIENCE).headers["Location"]
    witness.learn("the code of the provider", back.partition("code=")[2].partition("&")[0])
    guest.ask("GET", back.removeprefix(str(ann.client.base_url).rstrip("/")))
    guest.session()
    witness.learn("the ID token", provider.tokens[-1])
    for made_up in ("?code=a-made-up-code&state=nobody-knows", "?error=access_denied&state=x"):
        guest.ask("GET", f"/sign-in/openid/back{made_up}")
    provider.close()
    guest.ask("GET", "/sign-in/openid")


def break_down(ann: Visitor, witness: Witness, store, monkeypatch) -> None:
    """What nobody thought of, in the middle of a request with a secret in its address, its form and its headers."""
    link = witness.learn("a link that breaks", signing_in.create_link(store, BOB, a_cause(utc_now())))

    def broken(*_args, **_rest):
        raise RuntimeError("a bug")

    guest = Visitor(str(ann.client.base_url), witness, "somebody unlucky")
    with monkeypatch.context() as patched:
        for name in ("use_link", "sign_in", "session_of"):
            patched.setattr(f"web.ui.signing_in.usecases.{name}", broken)
        patched.setattr("web.auth.authenticate", broken)
        assert guest.ask("POST", f"/sign-in/{link}").status_code == 500
        form = {"email": ANN, "password": witness.secrets["the new password"]}
        assert guest.ask("POST", "/sign-in", data=form).status_code == 500
        bearer = {"Authorization": f"Bearer {witness.secrets['the first admin token']}"}
        assert guest.ask("GET", "/api/v1/tokens", headers=bearer).status_code == 500
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE sessions RENAME TO sessions_elsewhere"))
    assert guest.ask("POST", f"/sign-in/{link}").status_code >= 500
    ann.ask("GET", "/profile")
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE sessions_elsewhere RENAME TO sessions"))


def read_everything(store, given: Settings, address: str, witness: Witness) -> None:
    """Every page and every answer that an administrator can read, with a session that made none of the secrets."""
    reader = Visitor(address, witness, "a reader")
    reader.client.post(f"/sign-in/{signing_in.create_link(store, BOB, a_cause(utc_now()))}")
    own = reader.csrf()
    app = create_app(store, given)
    for path in sorted({address_of(app, endpoint) for endpoint in RULES if is_read(app, endpoint)}):
        for headers in ({}, {"Accept": "application/json"}, {"HX-Request": "true"}):
            reader.ask("GET", path.replace("/flags/none", "/flags/dspex-bridge"), headers=headers, may=own)
    for path in ("/healthz", "/readyz", "/environments/production/audit/export?format=csv"):
        reader.ask("GET", path, may=own)
    token = {"Authorization": f"Bearer {given.bootstrap_sdk_token}"}
    assert reader.ask("GET", "/sdk/v1/snapshot", headers=token, may=own).status_code == 200


def is_read(app: Flask, endpoint: str) -> bool:
    """Whether it is asked for without changing anything, and is no file and no other way in."""
    methods = next(iter(app.url_map.iter_rules(endpoint))).methods or set()
    return "GET" in methods and endpoint != "static" and not endpoint.startswith("ui.openid")


def database_as_text(store, url: str) -> str:
    with store.engine.connect() as connection:
        known = MetaData()
        known.reflect(connection)
        rows = "\n".join(repr(connection.execute(select(table)).all()) for table in known.sorted_tables)
    files = [Path(make_url(url).database or "")] if url.startswith("sqlite") else []
    for path in (each for file in files for each in file.parent.glob(f"{file.name}*")):
        rows += path.read_bytes().decode("latin-1")
    return rows


def test_no_secret_is_left_anywhere(given, store, provider, witness, monkeypatch) -> None:
    with listening(witness), serving(given, monkeypatch) as address:
        ann = Visitor(address, witness, "ann")
        sign_in_and_guess(ann, witness)
        change_the_password(ann, witness)
        make_links(ann, witness)
        make_tokens(ann, witness)
        make_webhooks(ann, witness)
        come_by_openid(ann, witness, provider)
        break_down(ann, witness, store, monkeypatch)
        read_everything(store, given, address, witness)
    kept = witness.secrets["the path of a webhook"]  # as an address is, where it is asked for
    witness.hear("the database", database_as_text(store, given.database_url), but=kept)
    witness.hear("the settings", repr(given))

    assert len(witness.secrets) >= 27
    assert len(witness.heard) > 500
    assert witness.leaks() == []


@pytest.mark.parametrize(
    ("secret", "said", "leaks"),
    [
        ("tb_sdk_Zm9vYmFyYmF6", "the token Zm9vYmFyYmF6 is unknown", ["it in a page"]),
        ("whsec_Zm9vYmFyYmF6", "signed with Zm9vYmFyYmF6", ["it in a page"]),
        ("Zm9v/YmFyYmF6", "/back?code=Zm9v/YmFyYmF6", ["it in a page"]),
        ("Zm9vYmFyYmF6_x", "axes", []),
        ("tb_sdk_Zm9vtb_YmFy_x", "axes", []),
    ],
)
def test_a_secret_is_found_by_its_random_part_and_never_by_a_few_letters_of_it(witness, secret, said, leaks) -> None:
    witness.learn("it", secret)
    witness.hear("a page", said)

    assert witness.leaks() == leaks


@pytest.mark.parametrize(("style", "url"), [*zip(itertools.cycle(["text", "json"]), NO_DATABASES, strict=False)])
def test_a_server_that_cannot_start_says_so_without_a_secret(tmp_path, url, style) -> None:
    secrets = {
        "DATABASE_URL": url,
        **dict.fromkeys(("SECRET_KEY", "ADMIN_PASSWORD", "BOOTSTRAP_ADMIN_TOKEN"), "another-sentinel"),
        "ADMIN_EMAIL": ANN,
        "LOG_FORMAT": style,
    }
    environment = {f"THROWBAR_{name}": value for name, value in secrets.items()}

    ended = subprocess.run(
        [sys.executable, "-m", "web.cli", "serve", "--port", "0"],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path.cwd()), **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    said = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert said.strip()
    assert "another-sentinel" not in said
    assert "the-database-secret" not in said
