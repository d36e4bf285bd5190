import shutil
import socket
import ssl
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.sdk.fake_control_plane import FakeControlPlane, a_document
from tests.sdk.test_transport import serving
from throwbar.dial import Dial
from throwbar.transport import HttpTransport

CERTIFICATES = Path(__file__).parent / "certificates"
AUTHORITY = CERTIFICATES / "authority.pem"
NAME_FOR_OPENSSL = "ef8271c1.0"


@pytest.fixture
def secure():
    """The address of a control plane that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "server.pem")
    with serving(FakeControlPlane(a_document(3)), context) as (_, url):
        yield url.replace("http://", "https://")


@pytest.fixture
def trust(monkeypatch, tmp_path):
    """Tells what this machine trusts: the certificates of a file, and those of a directory."""

    def tell(*, in_file, in_directory):
        if in_directory:
            shutil.copy(AUTHORITY, tmp_path / NAME_FOR_OPENSSL)
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
        monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY if in_file else tmp_path / "none.pem"))

    return tell


def status_of(url):
    with closing(HttpTransport(url)) as transport:
        return transport("GET", "/", {}, None, 60).status


@pytest.mark.parametrize(("in_file", "in_directory"), [(True, False), (False, True), (True, True)])
def test_a_certificate_is_trusted_wherever_this_machine_keeps_its_authority(secure, trust, in_file, in_directory):
    trust(in_file=in_file, in_directory=in_directory)

    assert status_of(secure) == 200


def test_a_certificate_of_nobody_is_refused_again_and_again(secure, trust):
    trust(in_file=False, in_directory=False)

    with closing(HttpTransport(secure)) as transport:
        for _ in range(2):
            with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
                transport("GET", "/", {}, None, 60)


def test_a_certificate_for_another_name_is_refused(secure, trust, monkeypatch):
    trust(in_file=True, in_directory=True)
    connect = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda address, timeout: connect(("127.0.0.1", address[1]), timeout)
    )

    assert status_of(secure.replace("127.0.0.1", "localhost")) == 200
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        status_of(secure.replace("127.0.0.1", "elsewhere.test"))


def test_what_the_directory_has_is_not_read_whole(secure, trust):
    trust(in_file=True, in_directory=True)
    port = int(secure.rpartition(":")[2])
    dial = Dial("https", "127.0.0.1", port)

    with dial(10) as connection:
        assert [dict(name[0] for name in each["subject"]) for each in connection.context.get_ca_certs()] == [
            {"commonName": "Throwbar tests"}
        ]
        assert (connection.version() or "") >= "TLSv1.2"
        assert connection.context.verify_mode is ssl.CERT_REQUIRED
        assert connection.context.check_hostname


def test_a_server_without_tls_is_no_answer(trust):
    trust(in_file=True, in_directory=True)

    with serving(FakeControlPlane(a_document(3))) as (_, url), pytest.raises(ssl.SSLError):
        status_of(url.replace("http://", "https://"))


def test_a_server_that_is_silent_while_tls_begins_times_out(trust):
    trust(in_file=True, in_directory=True)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TimeoutError):
        Dial("https", "127.0.0.1", listener.getsockname()[1])(0.1)


def test_without_https_no_process_loads_tls_or_a_parser_of_mail():
    with serving(FakeControlPlane(a_document(3))) as (_, url):
        program = f"""
import sys, throwbar
client = throwbar.Client({url!r}, "token", backup_file=False)
assert client.wait_ready(60), client.status()
client.close()
print(sorted({{"ssl", "email", "http.client", "http"}} & set(sys.modules)))
"""
        told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert told.stdout.strip() == "[]"
