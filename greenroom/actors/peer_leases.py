"""Who is connected to other workers, by their word, for as long as their word is good.

Every worker says every ten seconds who is connected to it, and at once who came and went. What it says is a lease: a worker that
died without a word is believed for half a minute, one whose notes were lost is heard again within ten seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Final

from greenroom.schema.ids import UserId

PEER_USERS_MAX: Final = 200_000
"""Users of other workers who are remembered; at some 200 bytes each, forty megabytes. Whoever is beyond seems offline."""


class PeerLeases:
    """The words of other workers. All moments are monotonic."""

    def __init__(self) -> None:
        self._workers: dict[str, dict[UserId, float]] = {}  # each in the order of expiry
        self._heard_until: dict[str, float] = {}  # of those that live
        self._holders: dict[UserId, int] = {}

    def __len__(self) -> int:
        """Users connected to other workers."""
        return len(self._holders)

    def holds(self, user_id: UserId) -> bool:
        """Say whether some other worker has the user."""
        return user_id in self._holders

    def renew(self, worker: str, user_ids: Iterable[UserId], *, until: float) -> None:
        """Take a worker's word that it has these users; an empty word says that it lives."""
        leases = self._workers.setdefault(worker, {})
        self._heard_until[worker] = until
        for user_id in user_ids:
            if leases.pop(user_id, None) is None:
                if user_id not in self._holders and len(self._holders) >= PEER_USERS_MAX:
                    continue
                self._holders[user_id] = self._holders.get(user_id, 0) + 1
            leases[user_id] = until

    def end(self, worker: str, user_ids: Iterable[UserId]) -> set[UserId]:
        """Take a worker's word that it no longer has these users; return those whom no other one has."""
        leases = self._workers.get(worker, {})
        return {user_id for user_id in user_ids if leases.pop(user_id, None) is not None and self._let_go(user_id)}

    def expire(self, now: float) -> set[UserId]:
        """Forget words that are no longer good; return the users whom nobody has any more.

        A worker that lives renews all its users at once. So one whose word for anybody ran out is dead, even if it spoke of
        somebody else later: that word ends by itself.
        """
        gone: set[UserId] = set()
        for worker, leases in list(self._workers.items()):
            while leases:
                user_id, until = next(iter(leases.items()))
                if until > now:
                    break
                del leases[user_id]
                self._heard_until.pop(worker, None)
                if self._let_go(user_id):
                    gone.add(user_id)
            if self._heard_until.get(worker, now) <= now:
                self._heard_until.pop(worker, None)
                if not leases:
                    del self._workers[worker]
        return gone

    def workers(self) -> Set[str]:
        """The other workers that live, as far as is known."""
        return self._heard_until.keys()

    def _let_go(self, user_id: UserId) -> bool:
        left = self._holders[user_id] - 1
        if left:
            self._holders[user_id] = left
            return False
        del self._holders[user_id]
        return True
