"""Registering, signing in and out."""

from __future__ import annotations

from greenroom.actors.identity import Identity
from greenroom.actors.sign_in import SignedIn
from greenroom.http.admission import address_of
from greenroom.http.call import Call
from greenroom.http.credentials import cookie_name
from greenroom.http.declaring import Operations
from greenroom.http.idempotency import HEADER, given_key
from greenroom.http.operations import Answer
from greenroom.http.response import Response, reply
from greenroom.schema.answers import CaptchaOut, SignedInOut
from greenroom.schema.errors import (
    AccountLocked,
    CaptchaFailed,
    CaptchaRequired,
    CaptchaUnavailable,
    EmailTaken,
    InvalidCredentials,
    LoginBusy,
    Unavailable,
)
from greenroom.schema.records import Role
from greenroom.schema.requests import Login, Register
from greenroom.schema.settings import Settings
from greenroom.schema.wire import UserOut

operations = Operations("Accounts")


@operations.serve(
    "POST",
    "/api/v1/auth/register",
    answers={201: SignedInOut},
    refusals=[EmailTaken, AccountLocked, CaptchaRequired, LoginBusy, Unavailable],
    headers={
        HEADER: "Says that this may have been sent before: an account with this password is signed in instead."
    },
)
async def register(call: Call, body: Register) -> Response:
    """Create an account and sign it in.

    The session is given as access_token and as cookie.
    """
    password = body.password.get_secret_value()
    address = address_of(call.request, call.core, call.settings)
    may_be_repeated = given_key(call.request) is not None
    try:
        signed_in = await call.core.sign_in.register(
            email=body.email,
            password=password,
            display_name=body.display_name,
            role=Role(body.role),
            address=address,
        )
    except EmailTaken:
        if not may_be_repeated:
            raise
        # The answer of the first try was lost. It held a token, so it was not kept; who knows the password gets another.
        signed_in = await _sign_in_again(call, body.email, password, address)
    return _signed_in(call.settings, signed_in, status=201)


@operations.serve(
    "POST",
    "/api/v1/auth/login",
    answers={200: SignedInOut},
    refusals=[
        InvalidCredentials,
        AccountLocked,
        CaptchaRequired,
        CaptchaFailed,
        CaptchaUnavailable,
        LoginBusy,
        Unavailable,
    ],
)
async def login(call: Call, body: Login) -> Response:
    """Sign in.

    The session is given as access_token and as cookie. An unknown account and a wrong password are not told apart.
    After some wrong passwords in a row, where the server has been set up for it, a captcha_token is needed, and after some
    more the account is locked, longer each time. It needs no Idempotency-Key: trying again is harmless, and each time begins a session of its own.
    """
    signed_in = await call.core.sign_in.login(
        email=body.email,
        password=body.password.get_secret_value(),
        captcha_token=body.captcha_token,
        address=address_of(call.request, call.core, call.settings),
    )
    return _signed_in(call.settings, signed_in, status=200)


@operations.serve("POST", "/api/v1/auth/logout", answers={204: Answer(description="Signed out")})
async def logout(call: Call, identity: Identity) -> Response:
    """End the session everywhere; its streams close."""
    await call.core.sign_in.logout(identity)
    response = reply(204)
    response.delete_cookie(cookie_name(call.settings), is_secure=call.settings.is_cookie_secure)
    return response


@operations.serve(
    "GET", "/api/v1/auth/captcha", answers={200: CaptchaOut, 204: Answer(description="No widget is shown here")}
)
async def captcha(call: Call) -> Response:
    """Which widget earns the captcha_token that a sign-in may need."""
    settings = call.settings
    if settings.turnstile_site_key is None:
        return reply(204)
    return reply(200, CaptchaOut(site_key=settings.turnstile_site_key, script_url=settings.turnstile_script_url))


@operations.serve("GET", "/api/v1/auth/me", answers={200: UserOut})
async def me(call: Call, identity: Identity) -> Response:
    """Who is signed in."""
    return reply(200, UserOut.of(identity.user, identity.permissions))


async def _sign_in_again(call: Call, email: str, password: str, address: str | None) -> SignedIn:
    try:
        return await call.core.sign_in.login(email=email, password=password, address=address)
    except InvalidCredentials as exc:
        raise EmailTaken("This e-mail address is taken.") from exc


def _signed_in(settings: Settings, signed_in: SignedIn, *, status: int) -> Response:
    identity = signed_in.identity
    response = reply(
        status,
        SignedInOut(
            user=UserOut.of(identity.user, identity.permissions),
            access_token=signed_in.token,
            expires_at=identity.expires_at,
        ),
    )
    response.set_cookie(
        cookie_name(settings),
        signed_in.token,
        expires=identity.expires_at,
        is_secure=settings.is_cookie_secure,
    )
    return response
