"""Accounts and sessions: registering, signing in and out, and finding out who a token belongs to."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from greenroom.actors.addresses import committer
from greenroom.actors.announcing import announce
from greenroom.actors.asking import ask
from greenroom.actors.authentication import PATIENCE_S, Authentication
from greenroom.actors.commands import NoteSessionEnd
from greenroom.actors.feeds import LocalFeeds
from greenroom.actors.identity import Identity
from greenroom.actors.limiting import Limiting
from greenroom.actors.lockout import Attempt, Lockout
from greenroom.actors.session_cache import Known, SessionCache
from greenroom.actors.turns import NoTurn, Turns
from greenroom.schema.errors import (
    AccountLocked,
    CaptchaFailed,
    CaptchaRequired,
    CaptchaUnavailable,
    InvalidCredentials,
    LoginBusy,
    NotAuthenticated,
    RateLimited,
)
from greenroom.schema.events import ClosingReason
from greenroom.schema.ids import Ids, SessionId, UserId, is_ulid
from greenroom.schema.records import Role, Session, User
from greenroom.storage.captcha import Captcha
from greenroom.storage.passwords import Passwords
from greenroom.storage.ports import Accounts, Bus, Credentials, Revocation
from greenroom.supervisor import ActorSystem

_SUCCESS: Final = "success"
_OUTCOMES: Final = MappingProxyType(
    {
        InvalidCredentials: "invalid",
        RateLimited: "rate_limited",
        AccountLocked: "locked",
        CaptchaRequired: "captcha_required",
        CaptchaFailed: "captcha_failed",
        CaptchaUnavailable: "captcha_unavailable",
        LoginBusy: "busy",
    }
)
"""What is counted of a refusal to sign in."""

_COUNTED: Final = (
    InvalidCredentials, RateLimited, AccountLocked, CaptchaRequired, CaptchaFailed, CaptchaUnavailable, LoginBusy,
)  # fmt: skip

TICKET_LIFE: Final = timedelta(minutes=10)

TRIES_WAITING_MAX: Final = 60
"""Tries to sign in to one account that wait for the one before: as many as may wait for a password slot."""

TRY_TIMEOUT_S: Final = 3.0
"""Their longest wait: the one before may have to show to be a person, and then to wait for a slot itself."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session; ``token`` is shown this once and never stored."""

    identity: Identity
    token: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """Stands in for the session in a URL, for clients that can set no header; good until ``expires_at``."""

    ticket: str
    expires_at: datetime


class SignIn:
    """Registers, signs in and out, and authenticates.

    Args:
        session_life: how long a session lasts.
        captcha: asked about a token after ``captcha_failures`` wrong passwords in a row; None to ask nobody.
    """

    def __init__(
        self,
        *,
        system: ActorSystem,
        accounts: Accounts,
        passwords: Passwords,
        authentication: Authentication,
        sessions: SessionCache,
        feeds: LocalFeeds,
        bus: Bus,
        ids: Ids,
        wall: Callable[[], datetime],
        session_life: timedelta,
        limiting: Limiting,
        lockout: Lockout,
        captcha: Captcha | None,
        captcha_failures: int,
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._authentication = authentication
        self._sessions = sessions
        self._feeds = feeds
        self._system = system
        self._bus = bus
        self._ids = ids
        self._wall = wall
        self._session_life = session_life
        self._limiting = limiting
        self._lockout = lockout
        self._captcha = captcha
        self._captcha_failures = captcha_failures
        self._tries = Turns(waiting_max=TRIES_WAITING_MAX, timeout_s=TRY_TIMEOUT_S)
        self._outcomes = Counter(dict.fromkeys((*_OUTCOMES.values(), _SUCCESS), 0))

    async def register(
        self, *, email: str, password: str, display_name: str, role: Role, address: str | None = None
    ) -> SignedIn:
        """Create an account and sign it in.

        Args:
            address: where from, for the limits; None for a caller that has none.

        Raises:
            RateLimited: too many registrations from there.
            EmailTaken: another account has the address.
            LoginBusy: no password slot came free in time.
        """
        await self._limiting.registration(address)
        encoded = await self._passwords.hash(password)
        user = User(
            id=UserId(self._ids.ulid()),
            email=email,
            display_name=display_name,
            role=role,
            is_active=True,
            created_at=self._wall(),
        )
        await self._accounts.create_user(user, encoded)
        return await self._start_session(user)

    async def login(
        self, *, email: str, password: str, captcha_token: str | None = None, address: str | None = None
    ) -> SignedIn:
        """Sign in. An unknown account, a wrong password and a deactivated user look alike and cost the same.

        Args:
            address: where from, for the limits; None for a caller that has none.

        Raises:
            RateLimited: too many tries from there, or for this account.
            AccountLocked: too many wrong passwords for it.
            CaptchaRequired, CaptchaFailed, CaptchaUnavailable: several already, and no token, none that is good, or nobody
                to tell.
            InvalidCredentials: one of those three.
            LoginBusy: no password slot came free in time, or other tries for this account took too long.
        """
        try:
            signed_in = await self._login(email, password, captcha_token, address)
        except _COUNTED as refusal:
            self._outcomes[_OUTCOMES[type(refusal)]] += 1
            raise
        self._outcomes[_SUCCESS] += 1
        return signed_in

    @property
    def outcomes(self) -> Mapping[str, int]:
        """What became of tries to sign in, since the start."""
        return self._outcomes

    async def _login(self, email: str, password: str, captcha_token: str | None, address: str | None) -> SignedIn:
        await self._limiting.login(address)
        found = await self._accounts.credentials(email)
        # All of this is the same for an account that does not exist; one that does has a single name, however many ways of
        # writing it the database takes for equal.
        account = self._limiting.blind((email if found is None else found.user.email).lower())
        try:
            # A try counts as a failure until its password turns out right. Were several at it at once, those with the right
            # one would lock each other out.
            async with self._tries.turn(account):
                known = await self._try(account, email, password, captcha_token)
        except NoTurn:
            raise LoginBusy(retry_after_s=1.0) from None
        if self._passwords.is_outdated(known.password_hash):
            renewed = await self._passwords.hash(password)
            await self._accounts.renew_password_hash(known.user.id, renewed, former=known.password_hash)
        return await self._start_session(known.user)

    async def _try(self, account: str, email: str, password: str, captcha_token: str | None) -> Credentials:
        """Look at a password, and count the try for what it was; return whose it is."""
        # Read again: while the turn was waited for, the password may have been changed.
        found = await self._accounts.credentials(email)
        await self._lockout.check(account)
        await self._limiting.account_login(account)
        attempt = await self._lockout.begin(account)
        try:
            await self._require_person(attempt, captcha_token)
            is_right = await self._passwords.verify(password, None if found is None else found.password_hash)
        except CaptchaFailed:
            # It counts as a try, or there would be no end to trying tokens; but not as a wrong password.
            await self._lockout.undo(account, attempt)
            raise
        except (LoginBusy, CaptchaRequired, CaptchaUnavailable):
            self._limiting.undo_account_login(account)
            await self._lockout.undo(account, attempt)
            raise
        if found is None or not is_right or not found.user.is_active:
            raise InvalidCredentials("The e-mail address or the password is wrong.")
        self._limiting.forgive_account(account)
        await self._lockout.forgive(account)
        return found

    async def _require_person(self, attempt: Attempt, captcha_token: str | None) -> None:
        if self._captcha is None or attempt.failure <= self._captcha_failures:
            return
        if captcha_token is None:
            raise CaptchaRequired("Show that you are a person first.")
        if not await self._captcha.check(captcha_token):
            raise CaptchaFailed("That did not show that you are a person. Try again.")

    async def logout(self, identity: Identity) -> None:
        """End the session everywhere; its streams close. Ending it twice is fine."""
        ended = await self._accounts.revoke_session(identity.session_id, self._wall())
        self._sessions.forget(identity.session_id)
        # This worker's streams need no bus for that; what the others miss they find out before long.
        self._feeds.close_session(identity.user.id, identity.session_id, ClosingReason.REVOKED)
        if ended:
            # Closing the streams must not depend on whether the event can be written now.
            await announce(self._bus, [Revocation(identity.user.id, identity.session_id)])
            await ask(self._system, committer(self._system), NoteSessionEnd(identity.user.id, "logout"))

    async def authenticate(self, token: str, *, patience_s: float = PATIENCE_S) -> Identity:
        """Find out who a bearer token or cookie belongs to. A cache hit costs no query.

        Args:
            patience_s: longest wait for a turn, if the database has to be asked.

        Raises:
            NotAuthenticated: unknown, expired or revoked, or its user was deactivated.
            Unavailable: no turn came, or the database did not answer.
        """
        known = await self._authentication.by_token(sha256(token.encode()).digest(), patience_s=patience_s)
        return known.identity

    async def issue_ticket(self, identity: Identity) -> Ticket:
        """Make a ticket for the session.

        It is good for reconnects too, because an EventSource reconnects to the URL it was given.

        Raises:
            NotAuthenticated: the session ended meanwhile.
        """
        known = await self._authentication.by_id(identity.session_id)
        expires_at = min(self._wall() + TICKET_LIFE, identity.expires_at)
        stamp = f"{identity.session_id}.{int(expires_at.timestamp())}"
        return Ticket(ticket=f"{stamp}.{_seal(known, stamp)}", expires_at=expires_at)

    async def redeem(self, ticket: str, *, patience_s: float = PATIENCE_S) -> Identity:
        """Find out who a ticket belongs to, as :meth:`authenticate` does for a token.

        Raises:
            NotAuthenticated: not one of ours, expired, or its session ended.
            Unavailable: no turn came, or the database did not answer.
        """
        session_id, _, rest = ticket.partition(".")
        expires, _, seal = rest.partition(".")
        if not is_ulid(session_id) or not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            raise NotAuthenticated("The ticket is not valid.")
        known = await self._authentication.by_id(SessionId(session_id), patience_s=patience_s)
        if not hmac.compare_digest(_seal(known, f"{session_id}.{expires}").encode(), seal.encode()):
            raise NotAuthenticated("The ticket is not valid.")
        if self._wall().timestamp() >= int(expires):
            raise NotAuthenticated("The ticket has expired.")
        return known.identity

    async def _start_session(self, user: User) -> SignedIn:
        token = self._ids.secret()
        now = self._wall()
        session = Session(
            id=SessionId(self._ids.ulid()),
            user_id=user.id,
            token_hash=sha256(token.encode()).digest(),
            created_at=now,
            expires_at=now + self._session_life,
        )
        await self._accounts.create_session(session)
        return SignedIn(identity=self._authentication.confirm(session, user), token=token)


def _seal(session: Known, stamp: str) -> str:
    """Authenticate a ticket with the session's own secret, so that every worker can check it and logout voids it."""
    return hmac.new(session.token_hash, stamp.encode(), sha256).hexdigest()
