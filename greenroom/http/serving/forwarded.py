"""Who a request really comes from, when a proxy that we trust says so.

``X-Forwarded-For`` grows to the right: each proxy appends the address it was called from. So it is read from the right,
and only as far as trusted proxies wrote it; what is further left was sent by the client and can be anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from greenroom.http.serving.request_head import Headers

Client = tuple[str, int]


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """Networks whose word about the client is taken; none by default."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, texts: Sequence[str]) -> TrustedProxies:
        """Make it from addresses (``10.0.0.7``) and networks (``10.0.0.0/8``, ``fd00::/8``).

        Raises:
            ValueError: one is neither.
        """
        return cls(tuple(ip_network(text) for text in texts))

    def include(self, host: str) -> bool:
        """Whether this is the address of one of them; False for what is no address."""
        address = _address(host)
        return address is not None and any(address in network for network in self.networks)

    def origin(self, peer: Client, headers: Headers) -> tuple[Client, str]:
        """Return the client and the scheme it used, for a request that one of these proxies handed on.

        The client is the rightmost address of ``X-Forwarded-For`` that is not a trusted proxy's. What is no address ends
        the search: the last proxy found is then as near as we can get. Its port does not matter, even where it is told: 0.
        """
        client = peer
        for hop in reversed(_listed(headers, b"x-forwarded-for")):
            address = _address(_without_port(hop))
            if address is None:
                break
            client = (str(address), 0)
            if not any(address in network for network in self.networks):
                break
        schemes = _listed(headers, b"x-forwarded-proto")
        return client, "https" if schemes and schemes[-1].lower() == "https" else "http"


def _listed(headers: Headers, name: bytes) -> list[str]:
    joined = ",".join(value.decode("latin-1") for found, value in headers if found == name)
    return [entry.strip() for entry in joined.split(",")] if joined else []


def _without_port(hop: str) -> str:
    """What some proxies append, Azure's for one: ``203.0.113.9:4711``, ``[2001:db8::1]:4711``."""
    if hop.startswith("["):
        return hop.partition("]")[0].removeprefix("[")
    host, _, port = hop.partition(":")
    return host if port.isascii() and port.isdigit() and "." in host else hop


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    # A socket that serves both families shows IPv4 peers as ::ffff:a.b.c.d.
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
