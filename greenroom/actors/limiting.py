"""How much anybody may ask: which limits there are, whom they count, and what is said to whoever reached one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from greenroom.actors.identity import Identity
from greenroom.schema.errors import RateLimited
from greenroom.schema.rate_limits import Decision, Policy
from greenroom.storage.ports import LimitStatistics, RateLimits

MINUTE_S: Final = 60
HOUR_S: Final = 3600

_SPANS: Final = MappingProxyType({MINUTE_S: "a minute", HOUR_S: "an hour"})


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitPolicies:
    """The limits that are kept; None for one that is off, as all are by default: who simulates users paces them.

    Attributes:
        requests: of a session, over HTTP.
        anonymous_requests: of a client's address, without a session or with credentials that are not valid.
        sends: messages of a user, however they are sent.
        conversations: that a user creates; opening one that exists is free.
        bookings: that a user makes, and changes to them; each is told to two people by a message and a mail.
        typing: signs that a user has begun to type.
        registrations, logins_by_minute, logins_by_hour: tries from a client's address.
        account_logins_by_minute, account_logins_by_hour: tries to sign in to one account, since the last that succeeded.
    """

    requests: Policy | None = None
    anonymous_requests: Policy | None = None
    sends: Policy | None = None
    conversations: Policy | None = None
    bookings: Policy | None = None
    typing: Policy | None = None
    registrations: Policy | None = None
    logins_by_minute: Policy | None = None
    logins_by_hour: Policy | None = None
    account_logins_by_minute: Policy | None = None
    account_logins_by_hour: Policy | None = None


class Limiting:
    """Takes from what there is, and raises RateLimited if there is none; nothing was done then.

    A subject of None, or an identity that says so, is not limited.
    """

    def __init__(self, limits: RateLimits, policies: LimitPolicies) -> None:
        self._limits = limits
        self._policies = policies
        self._refused: Counter[str] = Counter()
        self.unlimited = 0

    @property
    def refused(self) -> Mapping[str, int]:
        """Refusals since the start, by policy."""
        return self._refused

    def blind(self, name: str) -> str:
        """A subject for a name that should not be readable where limits are kept."""
        return self._limits.blind(name)

    def statistics(self) -> LimitStatistics:
        return self._limits.statistics()

    async def request(self, identity: Identity) -> None:
        """A request of a session's."""
        if (policy := self._policies.requests) is not None and not identity.is_unlimited:
            await self._take(policy, identity.session_id, "requests")

    async def anonymous_request(self, address: str | None) -> None:
        """A request of nobody in particular."""
        if (policy := self._policies.anonymous_requests) is not None and address is not None:
            await self._take(policy, address, "requests from one address without a session")

    async def send(self, identity: Identity) -> None:
        """A message."""
        if (policy := self._policies.sends) is not None and not identity.is_unlimited:
            await self._take(policy, identity.user.id, "messages")

    async def typing(self, identity: Identity) -> None:
        """A sign of typing."""
        if (policy := self._policies.typing) is not None and not identity.is_unlimited:
            await self._take(policy, identity.user.id, "signs of typing")

    async def conversation(self, identity: Identity) -> None:
        """A new conversation; see :meth:`give_back_conversation`."""
        if (policy := self._policies.conversations) is not None and not identity.is_unlimited:
            await self._take(policy, identity.user.id, "new conversations")

    def give_back_conversation(self, identity: Identity) -> None:
        """Somebody else opened it meanwhile."""
        if (policy := self._policies.conversations) is not None and not identity.is_unlimited:
            self._limits.give_back(policy, identity.user.id)

    async def booking(self, identity: Identity) -> None:
        """A booking, or a change to one."""
        if (policy := self._policies.bookings) is not None and not identity.is_unlimited:
            await self._take(policy, identity.user.id, "bookings and changes to them")

    async def registration(self, address: str | None) -> None:
        """A try to register."""
        if (policy := self._policies.registrations) is not None and address is not None:
            await self._take(policy, address, "registrations from one address")

    async def login(self, address: str | None) -> None:
        """A try to sign in."""
        policies = [self._policies.logins_by_hour, self._policies.logins_by_minute]
        if address is not None:
            await self._take_all([each for each in policies if each], address, "sign-ins from one address")

    async def account_login(self, account: str) -> None:
        """A try to sign in to an account, by its blinded name; it has no other limits for a load test."""
        await self._take_all(self._of_account, account, "sign-ins to one account")

    def undo_account_login(self, account: str) -> None:
        """Its password was never looked at."""
        for policy in self._of_account:
            self._limits.give_back(policy, account)

    def forgive_account(self, account: str) -> None:
        """Somebody knew its password."""
        for policy in self._of_account:
            self._limits.give_back(policy, account, units=policy.limit)

    @property
    def _of_account(self) -> list[Policy]:
        policies = [self._policies.account_logins_by_hour, self._policies.account_logins_by_minute]
        return [each for each in policies if each]

    async def _take(self, policy: Policy, subject: str, what: str) -> None:
        decision = await self._limits.take(policy, subject)
        if not decision.is_allowed:
            self._refused[policy.name] += 1
            raise _refusal(decision, what)

    async def _take_all(self, policies: Sequence[Policy], subject: str, what: str) -> None:
        """Take from each or from none."""
        taken: list[Policy] = []
        try:
            for policy in policies:
                await self._take(policy, subject, what)
                taken.append(policy)
        except BaseException:
            for policy in taken:
                self._limits.give_back(policy, subject)
            raise


def _refusal(decision: Decision, what: str) -> RateLimited:
    policy = decision.policy
    span = _SPANS.get(policy.window_s, f"{policy.window_s} s")
    return RateLimited(
        f"These are too many {what}: the limit is {policy.limit:,} in {span}.",
        policy=policy,
        retry_after_s=decision.retry_after_s,
    )
