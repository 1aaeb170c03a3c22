"""Passwords and access tokens."""

from __future__ import annotations

from typing import Annotated, Final

from argon2 import PasswordHasher
from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from itsdangerous import BadSignature, TimestampSigner

TOKEN_S_MAX: Final = 7 * 24 * 3600
TOKENS: Final = TimestampSigner("a secret of one run", salt="access-token")
PASSWORDS: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""As greenroom's, and as OWASP recommends."""

bearer = HTTPBearer()


async def current_user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    """The id of who is signed in."""
    try:
        return TOKENS.unsign(credentials.credentials, max_age=TOKEN_S_MAX).decode()
    except BadSignature as exc:
        raise HTTPException(401, "not signed in") from exc


CurrentUser = Annotated[str, Depends(current_user)]
