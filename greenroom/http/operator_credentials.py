"""Who operates: by a key in a header, or as a user whose role may.

There may be two keys at a time, so that one can be replaced without a refused request: give the new one as the second,
move every client over, then make it the first.

Source: OWASP ASVS 5.0, 13.2.1.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from greenroom.actors.sign_in import SignIn
from greenroom.http.credentials import identify
from greenroom.http.request import Request
from greenroom.schema.audit import OperatorKind, OperatorName
from greenroom.schema.errors import NotAuthenticated
from greenroom.schema.settings import Settings

FINGERPRINT_LENGTH: Final = 8
"""Hexadecimal digits of the key's SHA-256: enough to tell two keys apart, too few to find one."""


async def authorize_operator(
    request: Request, sign_in: SignIn, settings: Settings, *, permission: str, opens_stream: bool = False
) -> OperatorName:
    """Let operators in: with ``X-API-Key``, else as a user whose role has ``permission``.

    Raises:
        NotAuthenticated, CrossSiteRequest: as :func:`~greenroom.http.credentials.identify`; a wrong key looks like any
            other wrong credential.
        PermissionDenied: signed in, but no operator.
    """
    key = request.header(b"x-api-key")
    if key is not None:
        return _operator_by_key(key, settings)
    identity = await identify(request, sign_in, settings, opens_stream=opens_stream)
    identity.require(permission)
    return OperatorName(OperatorKind.USER, identity.user.id)


async def authorize_scraper(request: Request, sign_in: SignIn, settings: Settings) -> None:
    """Let in whoever may read metrics: operators, and the key as a bearer token, which is what Prometheus can send.

    Raises:
        NotAuthenticated, PermissionDenied: as :func:`authorize_operator`.
    """
    scheme, _, token = (request.header(b"authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and _key_named(token, settings) is not None:
        return
    await authorize_operator(request, sign_in, settings, permission="operations:read")


def _operator_by_key(given: str, settings: Settings) -> OperatorName:
    fingerprint = _key_named(given, settings)
    if fingerprint is None:
        raise NotAuthenticated("The credentials are not valid.")
    return OperatorName(OperatorKind.KEY, fingerprint)


def _key_named(given: str, settings: Settings) -> str | None:
    """The fingerprint of the key this is, if it is one. Compares in constant time, whatever the lengths."""
    digest = hashlib.sha256(given.encode("utf-8", "replace")).digest()
    is_key = False
    for key in (settings.admin_api_key, settings.admin_api_key_next):
        if key is not None:
            wanted = hashlib.sha256(key.get_secret_value().encode()).digest()
            is_key |= hmac.compare_digest(digest, wanted)
    return digest.hex()[:FINGERPRINT_LENGTH] if is_key else None
