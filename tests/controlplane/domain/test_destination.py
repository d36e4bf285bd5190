"""Can nobody send our requests to where only this network reaches?"""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.destination import ALL, Allowed, origin_of, read_allowed, why_not_address, why_not_url

NOTHING = Allowed()
INNER = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # credentials of a machine, in most clouds
    "100.100.100.200",  # and in another
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "64:ff9b:1::7f00:1",  # a gateway of one's own
    "::127.0.0.1",
    "fec0::1",
    "5f00::1",
]


@pytest.mark.parametrize("address", INNER)
def test_what_is_not_on_the_public_internet_is_refused(address) -> None:
    assert "not on the public internet" in str(why_not_address("host", ipaddress.ip_address(address), NOTHING))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_what_is_public_may_be_reached(address) -> None:
    assert why_not_address("host", ipaddress.ip_address(address), NOTHING) is None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_however_it_is_written_in_ipv6(address) -> None:
    inside = why_not_address("host", address, NOTHING) is None
    forms = [f"::ffff:{address}", str(ipaddress.IPv6Address((0x64FF9B << 96) | int(address)))]
    forms.append(str(ipaddress.IPv6Address((0x2002 << 112) | (int(address) << 80))))

    for form in forms:
        seen = why_not_address("host", ipaddress.ip_address(form), NOTHING) is None
        assert not (seen and not inside), form


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "fd00::1", "::1", "100.64.0.1"])
def test_all_opens_what_is_private(address) -> None:
    assert why_not_address("host", ipaddress.ip_address(address), read_allowed(ALL)) is None


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "0.0.0.0", "ff02::1"])
def test_all_does_not_open_where_machines_are_given_their_credentials(address) -> None:
    assert why_not_address("host", ipaddress.ip_address(address), read_allowed(ALL))


def test_hosts_and_networks_open_what_they_name() -> None:
    allowed = read_allowed("chat.internal, 10.2.0.0/16,169.254.169.254")

    assert why_not_address("chat.internal", ipaddress.ip_address("192.168.0.1"), allowed) is None
    assert why_not_address("anything", ipaddress.ip_address("10.2.3.4"), allowed) is None
    assert why_not_address("anything", ipaddress.ip_address("169.254.169.254"), allowed) is None
    assert why_not_address("anything", ipaddress.ip_address("10.3.0.1"), allowed)


@pytest.mark.parametrize("text", ["", ",", "chat.internal,", "http://chat.internal", "10.0.0.1/8", "all,chat", "a b"])
def test_a_setting_that_means_nothing_is_refused(text) -> None:
    if text == "all,chat":
        assert read_allowed(text).everything is False  # a host that is called all
        return
    with pytest.raises(ValueError, match="must be `all`"):
        read_allowed(text)


@pytest.mark.parametrize(
    ("url", "because"),
    [
        ("", "1 to 2000 characters"),
        ("https://example.org/" + "x" * 2000, "1 to 2000 characters"),
        ("https://example.org/a b", "without blanks"),
        ("https://example.org/\r\nHost: x", "without blanks"),
        ("https://exämple.org/", "of ASCII"),
        ("ftp://example.org/", "must be an address"),
        ("https:///hook", "must be an address"),
        ("example.org/hook", "must be an address"),
        ("https://example.org:0/", "must be an address"),
        ("https://example.org:99999/", "must be an address"),
        ("https://[::1/", "must be an address"),
        ("https://ann:secret@example.org/", "leave them out"),
        ("https://example.org/#part", "leave them out"),
        ("http://example.org/", "must start with https://"),
        ("https://127.0.0.1/", "not on the public internet"),
        ("https://[::ffff:10.0.0.1]/", "not on the public internet"),
    ],
)
def test_an_address_that_cannot_be_used_says_why(url, because) -> None:
    assert because in str(why_not_url(url, NOTHING))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://example.org/hook?key=1", NOTHING),
        ("https://example.org:8443", NOTHING),
        ("http://127.0.0.1:9000/hook", read_allowed(ALL)),
        ("http://chat.internal/hook", read_allowed("chat.internal")),
        ("http://10.2.3.4/hook", read_allowed("10.2.0.0/16")),
    ],
)
def test_an_address_that_can_be_used_is_taken(url, allowed) -> None:
    assert why_not_url(url, allowed) is None


def test_of_an_address_only_the_host_is_written_down() -> None:
    assert origin_of("https://hooks.example.org:8443/T000/secret?key=secret") == "https://hooks.example.org:8443"
    assert origin_of("https://ann:secret@example.org/x") == "https://example.org"
