"""Which network addresses may be called: none inside the network that a server only names.

A discovery document, a `next` link or a file's URL is a server's word. Were it followed blindly, a
server could make this process call the machine it runs on, its neighbours or a cloud's metadata
service. So a name is resolved, every address it has is judged, and the connection goes to a judged
address and nowhere else. It knows nothing of HTTP.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Literal

Kind = Literal["public", "private", "loopback", "link-local"]
INSIDE: frozenset[Kind] = frozenset({"private", "loopback", "link-local"})

# An IPv4 address inside an IPv6 one: the translator's well-known prefix (RFC 6052 §2.1).
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def kind_of(address: str) -> Kind:
    """Return what kind of place an IP address is; raises `ValueError` where it is none.

    Everything that is not globally reachable and neither loopback nor link-local counts as
    private: RFC 1918, carrier-grade NAT, unique local, multicast, reserved.
    """
    place = _embedded(ipaddress.ip_address(address.partition("%")[0]))
    # The unspecified address reaches this machine.
    if place.is_loopback or place.is_unspecified:
        return "loopback"
    if place.is_link_local:
        return "link-local"
    return "public" if place.is_global and not place.is_multicast else "private"


def _embedded(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def resolve(host: str, port: int | None) -> list[str]:
    """Return every address of `host`, in the order to try them; raises `OSError` without any."""
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def kinds_at(host: str) -> frozenset[Kind]:
    """Return the kinds of inside places `host` is at; none where it cannot be resolved."""
    try:
        found = resolve(host, None)
    except (OSError, UnicodeError):
        return frozenset()
    return frozenset(kind_of(address) for address in found) & INSIDE
