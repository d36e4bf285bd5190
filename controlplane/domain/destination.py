"""Destination: where a request of ours may go. Nobody may use it to reach what only this network can see."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

LONGEST_URL = 2_000
ALL = "all"
SETTING = "THROWBAR_WEBHOOK_ALLOW_PRIVATE"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GIVEN_OUT = ipaddress.ip_network("2000::/3")  # of IPv6; of what is not, Python takes much for public

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be reached beyond the public internet: everything private, or some hosts and networks."""

    everything: bool = False
    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def names(self, host: str) -> bool:
        """Whether plain HTTP is fine there: it is a place of one's own."""
        literal = _literal(host)
        if literal:
            return self.opens(host, literal)
        return self.everything or host in self.hosts

    def opens(self, host: str, address: Address) -> bool:
        """Whether a host may be reached at an address that is not public."""
        if host in self.hosts or any(address in each for each in self.networks):
            return True
        # Machines of a cloud are given their credentials at a link-local address: only its own name opens it.
        return self.everything and not any(_is_special(each) for each in _meant(address))


def read_allowed(text: str) -> Allowed:
    """`all`, or hosts, addresses and networks separated by commas. Raises ValueError with a sentence."""
    parts = [each.strip().lower() for each in text.split(",")]
    if parts == [ALL]:
        return Allowed(everything=True)
    hosts, networks = set(), []
    for part in parts:
        try:
            networks.append(ipaddress.ip_network(part))
        except ValueError:
            if not part or not set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789-._"):
                message = "must be `all`, or hosts, addresses and networks like chat.internal,10.2.0.0/16"
                raise ValueError(message) from None
            hosts.add(part)
    return Allowed(hosts=frozenset(hosts), networks=tuple(networks))


def why_not_url(url: str, allowed: Allowed) -> str | None:
    """What is wrong with an address that somebody typed, as far as it can be told without asking for its host."""
    if not 1 <= len(url) <= LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        return f"has 1 to {LONGEST_URL} characters, of ASCII and without blanks"
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return "must be an address like https://example.org/hook"
    if "@" in parts.netloc or parts.fragment:
        return "holds a name, a password or a fragment: leave them out"
    return _why_not_host(parts.scheme, parts.hostname, allowed)


def _why_not_host(scheme: str, host: str, allowed: Allowed) -> str | None:
    if scheme == "http" and not allowed.names(host):
        return f"must start with https://, unless {SETTING} names its host"
    literal = _literal(host)
    return why_not_address(host, literal, allowed) if literal else None


def why_not_address(host: str, address: Address, allowed: Allowed) -> str | None:
    """Why a host may not be reached at an address that it has; None when it may."""
    if all(_is_public(each) for each in _meant(address)) or allowed.opens(host, address):
        return None
    return f"leads to {address}, which is not on the public internet: {SETTING} can allow it"


def origin_of(url: str) -> str:
    """Scheme, host and port: what may be written down. The rest may open the endpoint to whoever reads it."""
    parts = _split(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts else ""


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_public(address: Address) -> bool:
    given_out = address.version == 4 or address in _GIVEN_OUT or address in _NAT64
    return given_out and address.is_global and not address.is_multicast


def _is_special(address: Address) -> bool:
    return address.is_link_local or address.is_multicast or address.is_unspecified


def _meant(address: Address) -> Iterator[Address]:
    """The address, and each that its packets would come out at behind a gateway from IPv6 to IPv4."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        inner = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
        yield from (each for each in inner if each)
        if address in _NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
