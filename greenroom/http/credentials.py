"""Who is asking: bearer token, session cookie or ticket, and whether a browser was tricked into it.

A cookie is sent by the browser whoever made the request, so it alone proves nothing: a request that changes something,
or opens a stream, and is authenticated by cookie must come from a page of ours (:func:`check_same_site`). The other
two are put into a request on purpose and need no such proof.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from greenroom.actors.authentication import PATIENCE_S
from greenroom.actors.identity import Identity
from greenroom.actors.sign_in import SignIn
from greenroom.http.faults import CrossSiteRequest
from greenroom.http.request import Request
from greenroom.schema.errors import NotAuthenticated
from greenroom.schema.settings import Settings

TOKEN_LENGTH_MAX: Final = 256
"""Ours are 64 characters; longer ones are not worth a hash."""

STREAM_PATIENCE_S: Final = 10.0
"""A stream waits longer than other requests for its turn: an EventSource that is refused gives up for good."""

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(settings: Settings) -> str:
    """``__Host-`` makes a browser insist on Secure, Path=/ and no Domain (RFC 6265bis, 4.1.3.2)."""
    return "__Host-greenroom" if settings.is_cookie_secure else "greenroom"


async def identify(
    request: Request,
    sign_in: SignIn,
    settings: Settings,
    *,
    ticket: str | None = None,
    opens_stream: bool = False,
) -> Identity:
    """Find out who is asking: by Authorization header, else by ticket, else by cookie.

    Raises:
        NotAuthenticated: no credentials, or none that are valid.
        CrossSiteRequest: valid or not, a cookie was sent along by a page that is not ours.
    """
    patience_s = STREAM_PATIENCE_S if opens_stream else PATIENCE_S
    authorization = request.header(b"authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not _is_plausible(token):
            raise NotAuthenticated("The Authorization header holds no bearer token.")
        return await sign_in.authenticate(token, patience_s=patience_s)
    if ticket is not None:
        return await sign_in.redeem(ticket, patience_s=patience_s)
    cookie = request.cookie(cookie_name(settings))
    if cookie is None:
        raise NotAuthenticated("Sign in first.")
    if opens_stream or request.method not in SAFE_METHODS:
        check_same_site(request, settings.allowed_origins)
    if not _is_plausible(cookie):
        raise NotAuthenticated("The session is unknown; sign in again.")
    return await sign_in.authenticate(cookie, patience_s=patience_s)


def check_same_site(request: Request, allowed_origins: Container[str]) -> None:
    """Refuse a request that a page of another origin made.

    Browsers say where a request comes from in ``Sec-Fetch-Site``, older ones in ``Origin``; pages can forge neither.
    A client that sends neither is not a browser we can trust with a cookie.

    Raises:
        CrossSiteRequest: from elsewhere, or from nobody knows where.

    Source: OWASP CSRF Prevention Cheat Sheet, "Fetch Metadata"; Go's net/http CrossOriginProtection.
    """
    origin = request.header(b"origin")
    if origin is not None and origin in allowed_origins:
        return
    site = request.header(b"sec-fetch-site")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        # Only the host is compared: whether TLS ends in front of us can't be seen from here.
        host = (origin or "").partition("://")[2]
        is_ours = host != "" and host == request.header(b"host")
    if not is_ours:
        raise CrossSiteRequest("With the session cookie, this can only be done from a page of this server.")


def _is_plausible(token: str) -> bool:
    return 0 < len(token) <= TOKEN_LENGTH_MAX and token.isascii() and token.isprintable()
