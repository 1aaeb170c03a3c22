"""Where Redis is: the parts of a URL.

``redis://[user[:password]@]host[:port][/db]``, ``rediss://`` for TLS, ``unix://[user:password@]/path`` for a socket, and
``redis+cluster://host[:port][,host[:port]…]`` (``rediss+cluster://``) for a cluster, of which any node will do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

PORT: Final = 6379

_SCHEMES: Final = frozenset({"redis", "rediss", "redis+cluster", "rediss+cluster", "unix"})


class BadRedisUrl(ValueError):
    """The URL can't be used; the message says why and never repeats a password."""


@dataclass(frozen=True, slots=True)
class Address:
    """A node's ``host`` and ``port``, or the ``host`` that is a socket's path, with port 0."""

    host: str
    port: int

    def __str__(self) -> str:
        return self.host if self.port == 0 else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """See the module. ``addresses`` are alternatives to begin with."""

    addresses: tuple[Address, ...]
    username: str | None
    password: str | None
    is_cluster: bool
    is_tls: bool

    def __repr__(self) -> str:
        return f"RedisUrl({', '.join(map(str, self.addresses))})"

    @classmethod
    def parse(cls, text: str) -> RedisUrl:
        """Read a URL.

        Raises:
            BadRedisUrl: it is not of one of the forms above.
        """
        parts = urlsplit(text)
        if parts.scheme not in _SCHEMES:
            raise BadRedisUrl(f"must begin with one of {', '.join(f'{scheme}://' for scheme in sorted(_SCHEMES))}")
        credentials, _, hosts = parts.netloc.rpartition("@")
        username, _, password = credentials.partition(":")
        addresses: tuple[Address, ...]
        if parts.scheme == "unix":
            if not parts.path or hosts:
                raise BadRedisUrl("must name a socket by its whole path: unix:///run/redis/redis.sock")
            addresses = (Address(unquote(parts.path), 0),)
        else:
            addresses = tuple(_address(host) for host in hosts.split(","))
        is_cluster = parts.scheme.endswith("+cluster")
        if len(addresses) > 1 and not is_cluster:
            raise BadRedisUrl("only a cluster has several hosts")
        return cls(
            addresses=addresses,
            username=unquote(username) or None,
            password=unquote(password) or None,
            is_cluster=is_cluster,
            is_tls=parts.scheme.startswith("rediss"),
        )


def _address(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(PORT)
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise BadRedisUrl("must name host[:port]")
    return Address(host.strip("[]"), int(port))
