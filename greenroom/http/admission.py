"""Whom a request counts for, and what does not count at all.

Source for counting IPv6 by networks of 64 bits: RFC 6177, by which a site, and often a single customer, has at least one.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from greenroom.actors.core import Core
from greenroom.actors.identity import Identity
from greenroom.http.request import Request
from greenroom.schema.settings import Settings

BYPASS: Final = "X-Loadtest-Bypass"
"""Header of a load test's requests, with the token of the settings: they are not limited, and that is all they are not."""

_BYPASS: Final = BYPASS.lower().encode()

IPV6_CUSTOMER_BITS: Final = 64


def is_load_test(request: Request, core: Core, settings: Settings) -> bool:
    """Whether a request carries the token, which is compared in constant time; counts it if so."""
    given = request.header(_BYPASS)
    if given is None or settings.loadtest_bypass_token is None:
        return False
    token = settings.loadtest_bypass_token.get_secret_value()
    digests = [hashlib.sha256(each.encode("utf-8", "replace")).digest() for each in (given, token)]
    if not hmac.compare_digest(*digests):
        return False
    core.limiting.unlimited += 1
    return True


def terms_of(identity: Identity, request: Request, core: Core, settings: Settings) -> Identity:
    """Say of an identity whether its limits hold for this request."""
    return replace(identity, is_unlimited=True) if is_load_test(request, core, settings) else identity


def address_of(request: Request, core: Core, settings: Settings) -> str | None:
    """The client that strangers' requests are counted for; None if they are not."""
    return None if is_load_test(request, core, settings) else client_network(request)


def client_network(request: Request) -> str:
    """The client's address, for IPv6 its network of 64 bits; what trusted proxies said is in it already."""
    client = request.scope.get("client")
    host = client[0] if client else ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return "local"  # by a socket of this machine
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, IPV6_CUSTOMER_BITS), strict=False))
    return str(address)
